import {
  type VirtualEthernetCard,
  type VirtualEthernetCardNetworkBackingInfo,
  type VirtualSerialPortFileBackingInfo,
  type VirtualSerialPortURIBackingInfo,
  isA,
  isDataSubtype,
} from '@vic/vim';
import type { CpuShare, DiskAttachment, MachineSpec, NicAttachment, SerialAttachment } from '../backends/index.ts';
import { parseServiceUri } from './device-backings.ts';
import { isDisk } from './disk-plan.ts';
import { guestinfoOf } from './extra-config.ts';
import type { Device, VmRecord } from './vm-record.ts';

/** Size in KiB of {@link MachineSpec.reservedDiskBytes}. */
const RESERVED_DISK_KEY = 'hostd.reservedDiskKB';
/** VIM's largest disk: 62 TB. */
const MAX_RESERVED_KIB = 62 * 2 ** 30;

/** Turns a datastore path into a path of the host. */
export type ResolvePath = (datastorePath: string) => string;

/** What the backend needs to run a machine. */
export function toMachineSpec(record: VmRecord, resolve: ResolvePath, cpu: CpuShare): MachineSpec {
  return {
    id: record.uuid,
    name: record.name,
    cpus: record.cpus,
    memoryMiB: record.memoryMiB,
    bootIso: bootIso(record, resolve),
    disks: record.devices.filter(isDisk).map((device) => toDisk(device, resolve)),
    reservedDiskBytes: reservedDiskBytesOf(record),
    nics: record.devices.filter((device) => isDataSubtype(device.$type, 'VirtualEthernetCard')).map(toNic),
    serialPorts: record.devices
      .filter((device) => device.$type === 'VirtualSerialPort' && device.connectable?.startConnected !== false)
      .flatMap((device) => toSerialPort(device, resolve)),
    guestinfo: guestinfoOf(record),
    program: record.extraConfig['vic.program'],
    forkedFrom: record.forkedFrom,
    pool: record.pool,
    cpu,
  };
}

/** Of this host's own extraConfig; a size that is none is as good as not given. */
function reservedDiskBytesOf({ extraConfig }: VmRecord): number | undefined {
  const kibibytes = Number(extraConfig[RESERVED_DISK_KEY] ?? 0);
  return Number.isSafeInteger(kibibytes) && kibibytes > 0 && kibibytes <= MAX_RESERVED_KIB
    ? kibibytes * 1024
    : undefined;
}

/** A disk device as the backend attaches it. */
export function toDisk(device: Device, resolve: ResolvePath): DiskAttachment {
  if (!isDisk(device)) throw new TypeError(`Device ${device.key} is no disk.`);
  return {
    key: device.key,
    unitNumber: device.unitNumber ?? 0,
    path: resolve(device.backing.fileName),
    readOnly: device.backing.diskMode === 'independent_nonpersistent',
  };
}

/** A NIC device as the backend attaches it. */
export function toNic(device: Device): NicAttachment {
  const nic = device as Device & VirtualEthernetCard;
  const backing = nic.backing as VirtualEthernetCardNetworkBackingInfo;
  return {
    key: nic.key,
    mac: nic.macAddress ?? '',
    portGroup: backing.deviceName,
    connected: nic.connectable?.connected ?? true,
  };
}

function toSerialPort(device: Device, resolve: ResolvePath): readonly SerialAttachment[] {
  const backing = device.backing;
  if (isA(backing, 'VirtualSerialPortFileBackingInfo')) {
    return [
      {
        key: device.key,
        backing: { kind: 'file', path: resolve((backing as VirtualSerialPortFileBackingInfo).fileName) },
      },
    ];
  }
  const target = parseServiceUri((backing as VirtualSerialPortURIBackingInfo).serviceURI);
  if (target === undefined || target.port === 0) return [];
  return [{ key: device.key, backing: { kind: 'connect', ...target } }];
}

function bootIso(record: VmRecord, resolve: ResolvePath): string | undefined {
  for (const device of record.devices) {
    if (device.$type !== 'VirtualCdrom' || device.connectable?.startConnected === false) continue;
    if (isA(device.backing, 'VirtualCdromIsoBackingInfo')) return resolve(device.backing.fileName);
  }
  return undefined;
}
