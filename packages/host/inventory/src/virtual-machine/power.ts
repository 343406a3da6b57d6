import { type VirtualMachinePowerState, VimFault, make } from '@vic/vim';
import type { Call } from '../model/call.ts';
import { generalFault, invalidState, notSupported } from '../model/faults.ts';
import { ResourcePool } from '../objects/resource-pool.ts';
import type { VirtualMachine } from '../objects/virtual-machine.ts';
import { requireDisksFree } from './plan-context.ts';
import { postVmEvent } from './vm-events.ts';

/** Powers a machine on, or lets a suspended one go on. */
export async function powerOn(vm: VirtualMachine, call: Call): Promise<void> {
  const { machines, closing } = vm.host;
  const { record } = vm;
  if (record.powerState === 'poweredOn') throw invalidPowerState(vm, 'poweredOff');
  if (record.powerState === 'suspended') {
    await attempt(async () => machines.resume(record.uuid, closing));
    await vm.update({ ...record, powerState: 'poweredOn' });
    postVmEvent(vm, 'VmPoweredOnEvent', call.userName);
    return;
  }
  requireDisksFree(vm.host, record, record.devices);
  admit(vm, record.pool, record.memoryMiB);
  postVmEvent(vm, 'VmStartingEvent', call.userName);
  await attempt(async () => machines.powerOn(vm.spec(), closing));
  // What the guest reported while it was starting is in the record by now.
  await vm.update({ ...vm.record, ...startedState(vm) });
  postVmEvent(vm, 'VmPoweredOnEvent', call.userName);
}

/** Ends a machine at once. */
export async function powerOff(vm: VirtualMachine, call: Call): Promise<void> {
  if (vm.record.powerState === 'poweredOff') throw invalidPowerState(vm, 'poweredOn');
  await attempt(async () => vm.host.machines.powerOff(vm.record.uuid, vm.host.closing));
  await markPoweredOff(vm, call.userName, true);
}

/** Notes that a machine is off. */
export async function markPoweredOff(vm: VirtualMachine, userName: string, clean: boolean): Promise<void> {
  if (vm.record.powerState === 'poweredOff') return;
  await vm.update({
    ...vm.record,
    powerState: 'poweredOff',
    bootedAtMs: undefined,
    cleanPowerOff: clean,
    frozen: false,
  });
  vm.setUsage(undefined);
  vm.setQuestion(undefined);
  postVmEvent(vm, 'VmPoweredOffEvent', userName);
}

/** Restarts a running machine. */
export async function reset(vm: VirtualMachine, call: Call): Promise<void> {
  requireRunning(vm);
  postVmEvent(vm, 'VmResettingEvent', call.userName);
  await attempt(async () => vm.host.machines.reset(vm.record.uuid, vm.host.closing));
  await vm.update({ ...vm.record, bootedAtMs: vm.host.now().getTime() });
}

/** Stops the processors of a machine until it is powered on again. */
export async function suspend(vm: VirtualMachine, call: Call): Promise<void> {
  requireRunning(vm);
  if (vm.record.extraConfig['vic.program'] !== undefined) throw notSupported('A process VM cannot be suspended.');
  await attempt(async () => vm.host.machines.suspend(vm.record.uuid, vm.host.closing));
  await vm.update({ ...vm.record, powerState: 'suspended' });
  postVmEvent(vm, 'VmSuspendedEvent', call.userName);
}

/** Asks the guest to shut down; it does so in its own time. */
export async function shutdownGuest(vm: VirtualMachine, call: Call): Promise<void> {
  requireRunning(vm);
  postVmEvent(vm, 'VmGuestShutdownEvent', call.userName);
  await attempt(async () => vm.host.machines.shutdownGuest(vm.record.uuid, vm.host.closing));
}

/** Throws unless the pool and those above it have room for a machine of this size. */
export function admit(vm: VirtualMachine, pool: string, memoryMiB: number): void {
  vm.host.objects.get({ type: 'ResourcePool', value: pool }, ResourcePool).admit(memoryMiB);
}

/** The fields of a record that say a machine has just started. */
export function startedState(vm: VirtualMachine): {
  powerState: 'poweredOn';
  bootedAtMs: number;
  cleanPowerOff: boolean;
} {
  return { powerState: 'poweredOn', bootedAtMs: vm.host.now().getTime(), cleanPowerOff: false };
}

function requireRunning(vm: VirtualMachine): void {
  if (vm.record.powerState !== 'poweredOn') throw invalidPowerState(vm, 'poweredOn');
  if (vm.record.frozen) throw invalidState(`${vm.name} is frozen as an instant clone source.`);
}

function invalidPowerState(vm: VirtualMachine, requestedState: VirtualMachinePowerState): VimFault {
  const existingState = vm.record.powerState;
  return new VimFault({
    fault: make('InvalidPowerState', { requestedState, existingState }),
    message: `The attempted operation cannot be performed in the current state (${existingState}).`,
  });
}

async function attempt(operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    throw generalFault(error);
  }
}
