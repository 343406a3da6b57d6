import { isA, make } from '@vic/vim';
import type { VirtualDevice, VirtualDeviceConfigSpec } from '@vic/vim';
import type { MachineNic, MachineSpec } from '../execution/machine.ts';

/** Temporary keys of the devices of a new machine; the server gives them their own. */
const SCSI_KEY = -1;
const DISK_KEY = -2;
const NIC_KEY = -3;
const INTERACTION_KEY = -4;
const LOG_KEY = -5;
const CDROM_KEY = -6;
/** The first IDE controller, which every machine has by default. */
const IDE_CONTROLLER_KEY = 200;

/** The devices of a machine that boots cold. */
export function devicesOf(spec: MachineSpec, bootstrapIso: string): VirtualDeviceConfigSpec[] {
  return [
    add(make('ParaVirtualSCSIController', { key: SCSI_KEY, busNumber: 0, sharedBus: 'noSharing' })),
    add(cdrom(bootstrapIso)),
    ...(spec.disk === undefined ? [] : [childDisk(DISK_KEY, SCSI_KEY, spec.disk, 0)]),
    ...(spec.nic === undefined ? [] : [add(nic(NIC_KEY, spec.nic))]),
    add(interactionPort(INTERACTION_KEY, spec.interactionUri)),
    add(logPort(LOG_KEY, spec.logPath)),
  ];
}

/** What an instant clone changes of its template's devices, and adds to them. */
export function cloneChanges(spec: MachineSpec, template: readonly VirtualDevice[]): VirtualDeviceConfigSpec[] {
  const changes: VirtualDeviceConfigSpec[] = [];
  for (const device of template) {
    const { key } = device;
    if (isA(device, 'VirtualEthernetCard')) changes.push(edit(clonedNic(device, spec.nic)));
    else if (!isA(device, 'VirtualSerialPort')) continue;
    else if (isA(device.backing, 'VirtualSerialPortFileBackingInfo')) changes.push(edit(logPort(key, spec.logPath)));
    else changes.push(edit(interactionPort(key, spec.interactionUri)));
  }
  const controller = template.find((device) => isA(device, 'VirtualSCSIController'));
  if (spec.disk !== undefined && controller !== undefined) {
    changes.push(childDisk(DISK_KEY, controller.key, spec.disk, 0));
  }
  return changes;
}

/** A new disk at `path`, a child of `parent` when there is one. */
export function childDisk(
  key: number,
  controllerKey: number,
  disk: { readonly path: string; readonly parent?: string; readonly sizeBytes?: number },
  unitNumber: number,
): VirtualDeviceConfigSpec {
  const parent =
    disk.parent === undefined
      ? {}
      : { parent: make('VirtualDiskFlatVer2BackingInfo', { fileName: disk.parent, diskMode: 'persistent' }) };
  const backing = make('VirtualDiskFlatVer2BackingInfo', {
    fileName: disk.path,
    diskMode: 'persistent',
    thinProvisioned: true,
    ...parent,
  });
  // No capacity: a child has its parent's.
  const capacityInKB = Math.ceil((disk.sizeBytes ?? 0) / 1024);
  const device = make('VirtualDisk', { key, controllerKey, unitNumber, capacityInKB, backing });
  return { ...add(device), fileOperation: 'create' };
}

/** A container without a network keeps its template's card, unplugged. */
function clonedNic({ key, backing }: VirtualDevice, wanted: MachineNic | undefined): VirtualDevice {
  if (wanted !== undefined) return nic(key, wanted);
  return make('VirtualVmxnet3', { key, backing, connectable: connectInfo(false) });
}

function nic(key: number, wanted: MachineNic): VirtualDevice {
  return make('VirtualVmxnet3', {
    key,
    backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: wanted.portGroup }),
    connectable: connectInfo(true),
    ...(wanted.mac === undefined
      ? { addressType: 'generated' }
      : { addressType: 'manual', macAddress: wanted.mac.toLowerCase() }),
  });
}

function interactionPort(key: number, serviceURI: string): VirtualDevice {
  return make('VirtualSerialPort', {
    key,
    yieldOnPoll: true,
    backing: make('VirtualSerialPortURIBackingInfo', { serviceURI, direction: 'client' }),
    connectable: connectInfo(true),
  });
}

function logPort(key: number, fileName: string): VirtualDevice {
  return make('VirtualSerialPort', {
    key,
    yieldOnPoll: true,
    backing: make('VirtualSerialPortFileBackingInfo', { fileName }),
    connectable: connectInfo(true),
  });
}

function cdrom(iso: string): VirtualDevice {
  return make('VirtualCdrom', {
    key: CDROM_KEY,
    controllerKey: IDE_CONTROLLER_KEY,
    unitNumber: 0,
    backing: make('VirtualCdromIsoBackingInfo', { fileName: iso }),
    connectable: connectInfo(true),
  });
}

function connectInfo(isConnected: boolean): NonNullable<VirtualDevice['connectable']> {
  return { startConnected: isConnected, allowGuestControl: false, connected: isConnected };
}

function add(device: VirtualDevice): VirtualDeviceConfigSpec {
  return { operation: 'add', device };
}

function edit(device: VirtualDevice): VirtualDeviceConfigSpec {
  return { operation: 'edit', device };
}
