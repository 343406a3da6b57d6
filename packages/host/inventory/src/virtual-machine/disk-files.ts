import { fileFault } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import type { DevicePlan } from './device-plan.ts';
import { type DiskAction, isDisk } from './disk-plan.ts';
import type { Device } from './vm-record.ts';

/** Makes the disk files a plan asks for; what was made is removed again when the stack is disposed. */
export async function prepareDisks(
  host: Host,
  plan: DevicePlan,
  undo: AsyncDisposableStack,
): Promise<readonly Device[]> {
  let devices = plan.devices;
  for (const action of plan.disks) {
    try {
      devices = await prepare(host, action, devices, undo);
    } catch (error) {
      throw fileFault(error, action.path);
    }
  }
  return devices;
}

/** Deletes the disk files of devices that were removed with their file. */
export async function deleteDisks(host: Host, plan: DevicePlan): Promise<void> {
  for (const action of plan.disks) {
    if (action.kind !== 'delete') continue;
    try {
      await host.datastores.deleteDisk(action.path);
    } catch (error) {
      throw fileFault(error, action.path);
    }
  }
}

async function prepare(
  host: Host,
  action: DiskAction,
  devices: readonly Device[],
  undo: AsyncDisposableStack,
): Promise<readonly Device[]> {
  switch (action.kind) {
    case 'create':
      await host.datastores.createDisk(action.path, action.capacityBytes);
      undo.defer(async () => host.datastores.deleteDisk(action.path));
      return devices;
    case 'create-child': {
      await host.datastores.createChildDisk(action.path, action.parent);
      undo.defer(async () => host.datastores.deleteDisk(action.path));
      const { capacityBytes } = await host.datastores.diskInfo(action.path);
      return withCapacity(devices, action.path, capacityBytes, action.parent);
    }
    case 'use': {
      const { capacityBytes, parent } = await host.datastores.diskInfo(action.path);
      return withCapacity(devices, action.path, capacityBytes, parent);
    }
    case 'extend':
      await host.datastores.extendDisk(action.path, action.capacityBytes);
      return devices;
    case 'delete':
      return devices;
  }
}

function withCapacity(
  devices: readonly Device[],
  path: string,
  capacityBytes: number,
  parent: string | undefined,
): readonly Device[] {
  return devices.map((device) => {
    if (!isDisk(device) || device.backing.fileName !== path) return device;
    const parentBacking =
      parent === undefined
        ? {}
        : { parent: { $type: 'VirtualDiskFlatVer2BackingInfo', fileName: parent, diskMode: 'persistent' } };
    return {
      ...device,
      capacityInBytes: capacityBytes,
      capacityInKB: Math.floor(capacityBytes / 1024),
      backing: { ...device.backing, ...parentBacking },
    } as Device;
  });
}
