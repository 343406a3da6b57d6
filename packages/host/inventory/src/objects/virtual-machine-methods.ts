import type { TaskRef } from '@vic/vim';
import type { Call, Handlers } from '../model/call.ts';
import { managedObjectNotFound, notSupported } from '../model/faults.ts';
import type { TaskWork } from '../model/tasks.ts';
import { checkDeviceChangePrivileges } from '../virtual-machine/change-privileges.ts';
import { destroyMachine, renameMachine, unregisterMachine } from '../virtual-machine/destroy.ts';
import { instantClone } from '../virtual-machine/instant-clone.ts';
import { powerOff, powerOn, reset, shutdownGuest, suspend } from '../virtual-machine/power.ts';
import { answerQuestion } from '../virtual-machine/questions.ts';
import { reconfigureMachine } from '../virtual-machine/reconfigure.ts';
import type { VirtualMachine } from './virtual-machine.ts';

/** The methods of virtual machines. */
export const virtualMachineHandlers: Handlers<VirtualMachine> = {
  PowerOnVM_Task: (vm, _args, call) => task(vm, 'PowerOnVM_Task', call, async () => powerOn(vm, call)),
  PowerOffVM_Task: (vm, _args, call) => task(vm, 'PowerOffVM_Task', call, async () => powerOff(vm, call)),
  ResetVM_Task: (vm, _args, call) => task(vm, 'ResetVM_Task', call, async () => reset(vm, call)),
  SuspendVM_Task: (vm, _args, call) => task(vm, 'SuspendVM_Task', call, async () => suspend(vm, call)),
  ShutdownGuest: async (vm, _args, call) => {
    await exclusively(vm, async () => shutdownGuest(vm, call));
    return undefined;
  },
  AnswerVM: async (vm, { questionId, answerChoice }, call) => {
    await exclusively(vm, async () => answerQuestion(vm, { questionId, answerChoice }, call));
    return undefined;
  },
  RebootGuest: () => {
    throw notSupported('This host cannot ask a guest to restart.');
  },
  ReconfigVM_Task: (vm, { spec }, call) => {
    checkDeviceChangePrivileges(vm, spec, call);
    return task(vm, 'ReconfigVM_Task', call, async () => reconfigureMachine(vm, spec, call));
  },
  // Clones of one source run side by side: the source does not change.
  InstantClone_Task: (vm, { spec }, call) =>
    vm.host.tasks.start('InstantClone_Task', vm, call, async () => instantClone(vm, spec, call)),
  Destroy_Task: (vm, _args, call) => task(vm, 'Destroy_Task', call, async () => destroyMachine(vm, call)),
  Rename_Task: (vm, { newName }, call) => task(vm, 'Rename_Task', call, async () => renameMachine(vm, newName, call)),
  UnregisterVM: async (vm, _args, call) => {
    await exclusively(vm, async () => unregisterMachine(vm, call));
    return undefined;
  },
  CreateSnapshot_Task: () => {
    throw notSupported('This host has no snapshots.');
  },
  RelocateVM_Task: () => {
    throw notSupported('A lone host cannot relocate machines.');
  },
  CloneVM_Task: () => {
    throw notSupported('A lone host cannot clone machines.');
  },
  MarkAsTemplate: () => {
    throw notSupported('A lone host has no templates.');
  },
};

function task(
  vm: VirtualMachine,
  method: Parameters<VirtualMachine['host']['tasks']['start']>[0],
  call: Call,
  work: () => Promise<void>,
): TaskRef {
  const exclusive: TaskWork = async () => {
    await exclusively(vm, work);
    return undefined;
  };
  return vm.host.tasks.start(method, vm, call, exclusive);
}

async function exclusively(vm: VirtualMachine, work: () => Promise<void>): Promise<void> {
  await vm.mutex.run(async () => {
    if (vm.isGone) throw managedObjectNotFound(vm.ref);
    await work();
  });
}
