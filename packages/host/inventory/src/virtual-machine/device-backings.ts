import {
  type VirtualCdromIsoBackingInfo,
  type VirtualDeviceConnectInfo,
  type VirtualEthernetCard,
  type VirtualEthernetCardNetworkBackingInfo,
  type VirtualSerialPortFileBackingInfo,
  type VirtualSerialPortURIBackingInfo,
  isA,
  isDataSubtype,
} from '@vic/vim';
import { invalidDeviceSpec } from '../model/faults.ts';
import type { DevicePlanner } from './device-plan.ts';
import type { Device } from './vm-record.ts';

const CONNECTED: VirtualDeviceConnectInfo = { startConnected: true, allowGuestControl: true, connected: true };

/** Plans a NIC: its port group, address and whether it is connected. */
export function planNic(planner: DevicePlanner, device: Device, before: Device | undefined, index: number): Device {
  const wanted = device as Device & VirtualEthernetCard;
  const backing = wanted.backing ?? before?.backing;
  if (!isA(backing, 'VirtualEthernetCardNetworkBackingInfo')) {
    throw invalidDeviceSpec(index, 'backing', 'A NIC of this host needs a VirtualEthernetCardNetworkBackingInfo.');
  }
  const { deviceName } = backing as VirtualEthernetCardNetworkBackingInfo;
  if (!planner.context.hasPortGroup(deviceName))
    throw invalidDeviceSpec(index, 'backing.deviceName', `There is no port group ${deviceName.slice(0, 100)}.`);
  const macAddress = chooseMac(planner, wanted, before as (Device & VirtualEthernetCard) | undefined, index);
  const key = before?.key ?? planner.freeKey(4000);
  return {
    $type: wanted.$type,
    key,
    deviceInfo: { label: `Network adapter ${key - 3999}`, summary: deviceName },
    backing: {
      $type: 'VirtualEthernetCardNetworkBackingInfo',
      deviceName,
      network: { type: 'Network', value: `network-${deviceName}` },
    },
    connectable: wanted.connectable ?? before?.connectable ?? CONNECTED,
    controllerKey: 100,
    unitNumber: before?.unitNumber ?? key - 4000 + 7,
    addressType: wanted.macAddress === undefined || wanted.macAddress === '' ? 'generated' : 'manual',
    macAddress,
    wakeOnLanEnabled: false,
  } as Device;
}

/** Plans a serial port that dials out or appends to a file. */
export function planSerialPort(
  planner: DevicePlanner,
  device: Device,
  before: Device | undefined,
  index: number,
): Device {
  const key = before?.key ?? planner.freeKey(9000);
  return {
    $type: 'VirtualSerialPort',
    key,
    deviceInfo: { label: `Serial port ${key - 8999}`, summary: '' },
    backing: serialBacking(device.backing ?? before?.backing, index),
    connectable: device.connectable ?? before?.connectable ?? CONNECTED,
    controllerKey: 400,
    unitNumber: key - 9000,
    yieldOnPoll: true,
  } as Device;
}

/** Plans a CD-ROM drive with an ISO image, or an empty one. */
export function planCdrom(planner: DevicePlanner, device: Device, before: Device | undefined, index: number): Device {
  const backing = device.backing ?? before?.backing;
  const controller = before === undefined ? planner.controllerFor(device, 'VirtualIDEController', index) : undefined;
  const controllerKey = before?.controllerKey ?? controller?.key ?? 200;
  const key = before?.key ?? planner.freeKey(3000);
  const planned = {
    $type: 'VirtualCdrom',
    key,
    deviceInfo: { label: `CD/DVD drive ${key - 2999}`, summary: '' },
    connectable: device.connectable ?? before?.connectable ?? CONNECTED,
    controllerKey,
    unitNumber: before?.unitNumber ?? freeIdeUnit(planner, controllerKey, index),
  };
  if (isA(backing, 'VirtualCdromIsoBackingInfo')) {
    const { fileName } = backing as VirtualCdromIsoBackingInfo;
    requireDatastorePath(fileName, index);
    return { ...planned, backing: { $type: 'VirtualCdromIsoBackingInfo', fileName } } as Device;
  }
  if (!describesEmptyDrive(backing)) {
    throw invalidDeviceSpec(index, 'backing', 'A CD-ROM drive holds an ISO image of a datastore, or nothing.');
  }
  return {
    ...planned,
    backing: { $type: 'VirtualCdromRemotePassthroughBackingInfo', deviceName: '', exclusive: false },
  } as Device;
}

/** Host and port of a `tcp://host:port` address; port 0 is a port that leads nowhere yet. */
export function parseServiceUri(uri: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:tcp:\/\/)?(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(uri);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) return undefined;
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function serialBacking(backing: Device['backing'], index: number): object {
  if (isA(backing, 'VirtualSerialPortFileBackingInfo')) {
    const { fileName } = backing as VirtualSerialPortFileBackingInfo;
    requireDatastorePath(fileName, index);
    return { $type: 'VirtualSerialPortFileBackingInfo', fileName };
  }
  if (!isA(backing, 'VirtualSerialPortURIBackingInfo')) {
    throw invalidDeviceSpec(index, 'backing', 'A serial port of this host has a file or a service URI behind it.');
  }
  const { serviceURI, direction, proxyURI } = backing as VirtualSerialPortURIBackingInfo;
  if (direction !== 'client')
    throw invalidDeviceSpec(index, 'backing.direction', 'Serial ports dial out: the direction is client.');
  if (proxyURI !== undefined && proxyURI !== '')
    throw invalidDeviceSpec(index, 'backing.proxyURI', 'Serial port proxies are not supported.');
  if (parseServiceUri(serviceURI) === undefined)
    throw invalidDeviceSpec(index, 'backing.serviceURI', 'A service URI has the form tcp://host:port.');
  return { $type: 'VirtualSerialPortURIBackingInfo', serviceURI, direction };
}

function requireDatastorePath(fileName: string, index: number): void {
  if (!/^\[[^\]]+\]\s*\S/.test(fileName))
    throw invalidDeviceSpec(index, 'backing.fileName', 'A file is named "[datastore] folder/file".');
}

function freeIdeUnit(planner: DevicePlanner, controllerKey: number, index: number): number {
  const taken = new Set(
    planner.devices.filter((device) => device.controllerKey === controllerKey).map((device) => device.unitNumber),
  );
  const unit = [0, 1].find((candidate) => !taken.has(candidate));
  if (unit === undefined) throw invalidDeviceSpec(index, 'unitNumber', 'The IDE controller is full.');
  return unit;
}

function chooseMac(
  planner: DevicePlanner,
  wanted: VirtualEthernetCard,
  before: VirtualEthernetCard | undefined,
  index: number,
): string {
  const asked = wanted.macAddress?.toLowerCase() ?? '';
  if (before !== undefined && (asked === '' || asked === before.macAddress))
    return before.macAddress ?? planner.context.newMac();
  if (asked === '') return planner.context.newMac();
  if (!/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/.test(asked))
    throw invalidDeviceSpec(
      index,
      'macAddress',
      'A MAC address is six pairs of hexadecimal digits and not a multicast address.',
    );
  if (planner.context.running && before !== undefined)
    throw invalidDeviceSpec(index, 'macAddress', 'The address of a NIC changes while the machine is off.');
  if (planner.context.macIsTaken(asked))
    throw invalidDeviceSpec(index, 'macAddress', `The MAC address ${asked} is taken.`);
  return asked;
}

/** Clients describe an empty drive by no backing, or by a pass-through one. */
function describesEmptyDrive(backing: Device['backing']): boolean {
  const type = backing?.$type ?? '';
  return (
    backing === undefined ||
    isDataSubtype(type, 'VirtualDeviceRemoteDeviceBackingInfo') ||
    isDataSubtype(type, 'VirtualDeviceDeviceBackingInfo')
  );
}
