import { type VirtualDeviceConfigSpec, type VirtualDisk, type VirtualDiskFlatVer2BackingInfo, isA } from '@vic/vim';
import { invalidDeviceSpec, notSupported } from '../model/faults.ts';
import type { DevicePlanner } from './device-plan.ts';
import { type Device, folderOf } from './vm-record.ts';

/** What is to be done with disk files before or after devices change. */
export type DiskAction =
  | { readonly kind: 'create'; readonly path: string; readonly capacityBytes: number }
  | { readonly kind: 'create-child'; readonly path: string; readonly parent: string }
  | { readonly kind: 'use'; readonly path: string }
  | { readonly kind: 'extend'; readonly path: string; readonly capacityBytes: number }
  | { readonly kind: 'delete'; readonly path: string };

/** Disk modes that mean what they say here; read-only is what `independent_nonpersistent` disks are on this host. */
const DISK_MODES: readonly string[] = ['persistent', 'independent_persistent', 'independent_nonpersistent'];
const SCSI_UNITS = Array.from({ length: 16 }, (_, unit) => unit).filter((unit) => unit !== 7);
const MAX_DISK_BYTES = 62 * 2 ** 40;

/** A disk device as the inventory keeps it. */
export type DiskDevice = Device & VirtualDisk & { readonly backing: VirtualDiskFlatVer2BackingInfo };

/** Whether a device is a disk with the backing this host gives all disks. */
export function isDisk(device: Device): device is DiskDevice {
  return isA(device, 'VirtualDisk') && isA((device as VirtualDisk).backing, 'VirtualDiskFlatVer2BackingInfo');
}

/** Plans a new disk device: a new file, a child of another disk, or a file that exists. */
export function planDiskAdd(planner: DevicePlanner, change: VirtualDeviceConfigSpec, index: number): Device {
  const disk = change.device as VirtualDisk & Device;
  const backing = requireBacking(disk, index);
  const controller = planner.controllerFor(disk, 'VirtualSCSIController', index);
  const unitNumber = chooseUnit(planner, disk, controller.key, index);
  const fileName = diskPath(planner, backing.fileName, index);
  const capacityBytes = disk.capacityInBytes ?? disk.capacityInKB * 1024;
  const parent = backing.parent?.fileName;
  if (change.fileOperation === 'create') planner.disks.push(creation(fileName, parent, capacityBytes, index));
  else if (change.fileOperation === undefined) planner.disks.push({ kind: 'use', path: fileName });
  else throw invalidDeviceSpec(index, 'fileOperation', 'A disk is added with fileOperation create or none.');
  const key = planner.freeKey(2000 + unitNumber);
  return {
    $type: 'VirtualDisk',
    key,
    deviceInfo: { label: `Hard disk ${planner.devices.filter(isDisk).length + 1}`, summary: fileName },
    backing: {
      $type: 'VirtualDiskFlatVer2BackingInfo',
      fileName,
      diskMode: backing.diskMode,
      thinProvisioned: true,
      ...(parent === undefined
        ? {}
        : { parent: { $type: 'VirtualDiskFlatVer2BackingInfo', fileName: parent, diskMode: 'persistent' } }),
    },
    controllerKey: controller.key,
    unitNumber,
    capacityInKB: Math.floor(capacityBytes / 1024),
    capacityInBytes: capacityBytes,
  } as Device;
}

/** Plans a larger capacity, the only change a disk device can have. */
export function planDiskEdit(planner: DevicePlanner, wanted: Device, before: Device, index: number): Device {
  if (!isDisk(before)) throw invalidDeviceSpec(index, 'device', 'This disk cannot be edited.');
  const disk = wanted as VirtualDisk & Device;
  const backing = requireBacking(disk, index);
  if (backing.fileName !== before.backing.fileName || backing.diskMode !== before.backing.diskMode) {
    throw notSupported('The file and the mode of a disk are changed by removing and adding it.');
  }
  const wantedBytes = disk.capacityInBytes ?? disk.capacityInKB * 1024;
  const beforeBytes = before.capacityInBytes ?? 0;
  if (wantedBytes === beforeBytes) return before;
  if (wantedBytes < beforeBytes) throw invalidDeviceSpec(index, 'capacityInBytes', 'A disk cannot shrink.');
  if (planner.context.running) throw notSupported('A disk grows while the machine is off.');
  planner.disks.push({ kind: 'extend', path: before.backing.fileName, capacityBytes: wantedBytes });
  return { ...before, capacityInBytes: wantedBytes, capacityInKB: Math.floor(wantedBytes / 1024) } as Device;
}

/** Plans what happens to the file of a disk that is removed. */
export function planDiskRemove(planner: DevicePlanner, device: Device, destroy: boolean): void {
  if (destroy && isDisk(device)) planner.disks.push({ kind: 'delete', path: device.backing.fileName });
}

function requireBacking(disk: VirtualDisk, index: number): VirtualDiskFlatVer2BackingInfo {
  const backing = disk.backing;
  if (!isA(backing, 'VirtualDiskFlatVer2BackingInfo'))
    throw invalidDeviceSpec(index, 'backing', 'A disk needs a VirtualDiskFlatVer2BackingInfo.');
  if (!DISK_MODES.includes(backing.diskMode))
    throw invalidDeviceSpec(
      index,
      'backing.diskMode',
      `The disk mode ${backing.diskMode.slice(0, 40)} is not supported.`,
    );
  if (backing.eagerlyScrub === true || backing.split === true)
    throw invalidDeviceSpec(index, 'backing', 'Disks of this host are thin and in one file.');
  return backing;
}

function creation(path: string, parent: string | undefined, capacityBytes: number, index: number): DiskAction {
  if (parent !== undefined && parent !== '') return { kind: 'create-child', path, parent };
  if (capacityBytes <= 0 || capacityBytes > MAX_DISK_BYTES)
    throw invalidDeviceSpec(index, 'capacityInKB', 'A new disk needs a capacity.');
  return { kind: 'create', path, capacityBytes };
}

function chooseUnit(planner: DevicePlanner, disk: VirtualDisk, controllerKey: number, index: number): number {
  const taken = new Set(
    planner.devices.filter((device) => device.controllerKey === controllerKey).map((device) => device.unitNumber),
  );
  const wanted = disk.unitNumber ?? -1;
  const unit = wanted < 0 ? SCSI_UNITS.find((candidate) => !taken.has(candidate)) : wanted;
  if (unit === undefined) throw invalidDeviceSpec(index, 'unitNumber', 'The SCSI controller is full.');
  if (!SCSI_UNITS.includes(unit))
    throw invalidDeviceSpec(index, 'unitNumber', `There is no SCSI unit ${unit} for a disk.`);
  if (taken.has(unit)) throw invalidDeviceSpec(index, 'unitNumber', `SCSI unit ${unit} is taken.`);
  return unit;
}

/** The file a disk is in: the one named, or a new name in the machine's folder. */
function diskPath(planner: DevicePlanner, fileName: string, index: number): string {
  if (/^\[[^\]]+\]\s*.+\.vmdk$/.test(fileName)) return fileName;
  if (fileName !== '' && !/^\[[^\]]+\]\s*$/.test(fileName)) {
    throw invalidDeviceSpec(index, 'backing.fileName', 'A disk file is named "[datastore] folder/name.vmdk".');
  }
  const folder = folderOf(planner.record);
  const taken = new Set(
    [...planner.record.devices, ...planner.devices].filter(isDisk).map((device) => device.backing.fileName),
  );
  for (let number = 0; ; number++) {
    const path = `${folder}/${planner.record.name}${number === 0 ? '' : `_${number}`}.vmdk`;
    if (!taken.has(path)) return path;
  }
}
