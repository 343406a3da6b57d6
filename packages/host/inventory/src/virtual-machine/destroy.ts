import { VimFault, make } from '@vic/vim';
import type { Call } from '../model/call.ts';
import { fileFault, requireName, duplicateName } from '../model/faults.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import { isDisk } from './disk-plan.ts';
import { postVmEvent } from './vm-events.ts';
import { folderOf } from './vm-record.ts';

/** Removes a machine that is off, with its own files: disks and port files in its folder, and the folder when it is empty then. */
export async function destroyMachine(vm: VirtualMachine, call: Pick<Call, 'userName'>): Promise<void> {
  requireOff(vm);
  const { host, record } = vm;
  await vm.configFileWritten();
  const finished = await host.unfinished.begin({ kind: 'destroy', moid: record.moid, name: record.name });
  try {
    await removeAll(vm);
  } finally {
    await finished();
  }
  postVmEvent(vm, 'VmRemovedEvent', call.userName);
}

async function removeAll(vm: VirtualMachine): Promise<void> {
  const { host, record } = vm;
  const inFolder = (path: string): boolean => path.startsWith(`${folderOf(record)}/`);
  for (const disk of record.devices.filter(isDisk)) {
    const file = disk.backing.fileName;
    if (inFolder(file)) await ignoreMissing(host.datastores.deleteDisk(file), file);
  }
  for (const device of record.devices) {
    if (device.$type !== 'VirtualSerialPort' || device.backing === undefined || !('fileName' in device.backing))
      continue;
    const file = String(device.backing.fileName);
    if (inFolder(file)) await ignoreMissing(host.datastores.delete(file), file);
  }
  await ignoreMissing(host.datastores.delete(record.vmPathName), record.vmPathName);
  await removeIfEmpty(vm);
  await host.machines.forget(record.uuid);
  await vm.remove();
}

/** Removes a machine that is off from the inventory and leaves its files. */
export async function unregisterMachine(vm: VirtualMachine, call: Call): Promise<void> {
  requireOff(vm);
  await vm.configFileWritten();
  await vm.host.machines.forget(vm.record.uuid);
  await vm.remove();
  postVmEvent(vm, 'VmRemovedEvent', call.userName);
}

/** Gives a machine another name; its files keep theirs. */
export async function renameMachine(vm: VirtualMachine, newName: string, call: Call): Promise<void> {
  const name = requireName(newName);
  const other = vm.host.objects.all(VirtualMachine).find((candidate) => candidate.name === name && candidate !== vm);
  if (other !== undefined) throw duplicateName(name, other.ref);
  const oldName = vm.name;
  await vm.reconfigure({ ...vm.record, name }, vm.record);
  postVmEvent(vm, 'VmRenamedEvent', call.userName, { oldName, newName: name });
}

function requireOff(vm: VirtualMachine): void {
  const { powerState } = vm.record;
  if (powerState === 'poweredOff') return;
  throw new VimFault({
    fault: make('InvalidPowerState', { requestedState: 'poweredOff', existingState: powerState }),
    message: `${vm.name} is ${powerState}: power it off first.`,
  });
}

async function removeIfEmpty(vm: VirtualMachine): Promise<void> {
  const folder = folderOf(vm.record);
  try {
    if ((await vm.host.datastores.list(folder)).length === 0) await vm.host.datastores.delete(folder);
  } catch (error) {
    if (fileFault(error, folder).class !== 'NotFound') throw fileFault(error, folder);
  }
}

async function ignoreMissing(operation: Promise<void>, file: string): Promise<void> {
  try {
    await operation;
  } catch (error) {
    const fault = fileFault(error, file);
    if (fault.class !== 'NotFound') throw fault;
  }
}
