import {
  type VirtualMachineInstantCloneSpec,
  type VirtualMachineRef,
  type VirtualMachineRelocateSpec,
  VimFault,
  isDataSubtype,
  make,
  sameReference,
} from '@vic/vim';
import type { Call } from '../model/call.ts';
import { generalFault, invalidState, notSupported, requireName } from '../model/faults.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Datastore } from '../objects/datastore.ts';
import { ResourcePool } from '../objects/resource-pool.ts';
import type { VirtualMachine } from '../objects/virtual-machine.ts';
import { applyConfigSpec } from './config-spec.ts';
import { makeFolder, register, vmPath } from './create.ts';
import { planDeviceChanges } from './device-plan.ts';
import { prepareDisks } from './disk-files.ts';
import { isDisk } from './disk-plan.ts';
import { planContext, requireDisksFree } from './plan-context.ts';
import { admit, startedState } from './power.ts';
import { postVmEvent } from './vm-events.ts';
import { type Device, type VmRecord, newRecord } from './vm-record.ts';

/**
 * Forks a frozen machine: its own folder, addresses, ports and disks, and the memory of the source.
 *
 * The guest's configuration is not inherited: `guestinfo.*` and `vic.*` belong to one machine, and the
 * clone has those of the specification.
 */
export async function instantClone(
  source: VirtualMachine,
  spec: VirtualMachineInstantCloneSpec,
  call: Call,
): Promise<VirtualMachineRef> {
  if (!source.record.frozen) throw invalidState(`${source.name} is not frozen as an instant clone source.`);
  const { host } = source;
  const planned = plannedClone(source, spec);
  admit(source, planned.pool, planned.memoryMiB);
  await using undo = new AsyncDisposableStack();
  const { placed: record, finished } = await makeFolder(host, planned, undo);
  const plan = planDeviceChanges(record, spec.location.deviceChange ?? [], planContext(host, false));
  requireOwnFiles(source.record, plan.devices);
  requireDisksFree(host, record, plan.devices);
  const devices = await prepareDisks(host, plan, undo);
  const clone = await register(host, { ...record, devices }, undo);
  await clone.mutex.run(async () => startFork(source, clone));
  undo.move();
  await finished();
  postVmEvent(clone, 'VmClonedEvent', call.userName, { sourceVm: { name: source.name, vm: source.ref } });
  postVmEvent(clone, 'VmPoweredOnEvent', call.userName);
  return clone.ref as VirtualMachineRef;
}

async function startFork(source: VirtualMachine, clone: VirtualMachine): Promise<void> {
  const { machines, closing } = clone.host;
  try {
    await machines.instantClone(source.record.uuid, clone.spec(), closing);
  } catch (error) {
    await machines.forget(clone.record.uuid).catch(() => undefined);
    throw generalFault(error);
  }
  try {
    await clone.update({ ...clone.record, ...startedState(clone) });
  } catch (error) {
    await machines.powerOff(clone.record.uuid, closing);
    throw error;
  }
}

function plannedClone(source: VirtualMachine, spec: VirtualMachineInstantCloneSpec): VmRecord {
  const { host, record: template } = source;
  const name = requireName(spec.name);
  const { pool, datastore } = placement(source, spec.location);
  const base = newRecord({
    name,
    vmPathName: vmPath(host, `[${datastore}]`, name),
    pool,
    nowMs: host.now().getTime(),
    uuid: spec.biosUuid,
  });
  const inherited = Object.fromEntries(
    Object.entries(template.extraConfig).filter(([key]) => !/^(guestinfo|vic)\./.test(key)),
  );
  if (template.devices.some(isDisk))
    throw notSupported('A machine with disks cannot be an instant clone source on this host.');
  const context = planContext(host, false);
  return applyConfigSpec(
    host,
    {
      ...base,
      guestId: template.guestId,
      alternateGuestName: template.alternateGuestName,
      cpus: template.cpus,
      coresPerSocket: template.coresPerSocket,
      memoryMiB: template.memoryMiB,
      cpuAllocation: template.cpuAllocation,
      memoryAllocation: template.memoryAllocation,
      extraConfig: inherited,
      forkedFrom: template.uuid,
      devices: template.devices.map((device) =>
        isNic(device) ? ({ ...device, addressType: 'generated', macAddress: context.newMac() } as Device) : device,
      ),
    },
    { extraConfig: spec.config ?? [], ...(spec.biosUuid === undefined ? {} : { uuid: spec.biosUuid }) },
  );
}

function placement(
  source: VirtualMachine,
  location: VirtualMachineRelocateSpec,
): { readonly pool: string; readonly datastore: string } {
  const { objects } = source.host;
  for (const [name, value] of Object.entries(location)) {
    if (value !== undefined && !['$type', 'folder', 'pool', 'datastore', 'host', 'deviceChange'].includes(name)) {
      throw notSupported(`This host does not support location.${name} in an instant clone.`);
    }
  }
  if (location.folder !== undefined && !sameReference(location.folder, WELL_KNOWN.vmFolder))
    throw notSupported('Machines of this host are in one folder.');
  const pool = location.pool === undefined ? source.record.pool : objects.get(location.pool, ResourcePool).ref.value;
  const own = /^\[([^\]]+)\]/.exec(source.record.vmPathName)?.[1] ?? '';
  return { pool, datastore: location.datastore === undefined ? own : objects.get(location.datastore, Datastore).name };
}

/** Two machines may not write the same files: file-backed ports of the source must have been changed. */
function requireOwnFiles(template: VmRecord, devices: readonly Device[]): void {
  const filesOf = (list: readonly Device[]): string[] =>
    list
      .filter((device) => device.$type === 'VirtualSerialPort')
      .flatMap((device) =>
        device.backing !== undefined && 'fileName' in device.backing ? [String(device.backing.fileName)] : [],
      );
  const shared = filesOf(devices).find((file) => filesOf(template.devices).includes(file));
  if (shared === undefined) return;
  throw new VimFault({
    fault: make('InvalidDeviceSpec', { deviceIndex: 0, property: 'backing.fileName' }),
    message: `The clone would write to ${shared}, which belongs to its source.`,
    remedy: 'Give the serial port another file in location.deviceChange.',
  });
}

function isNic(device: Device): boolean {
  return isDataSubtype(device.$type, 'VirtualEthernetCard');
}
