import { type VirtualDevice, type VirtualDeviceConfigSpec, isDataSubtype } from '@vic/vim';
import { invalidDeviceSpec, notSupported } from '../model/faults.ts';
import { planCdrom, planNic, planSerialPort } from './device-backings.ts';
import { type DiskAction, planDiskAdd, planDiskEdit, planDiskRemove } from './disk-plan.ts';
import type { Device, VmRecord } from './vm-record.ts';

/** What planning needs to know, and does not do itself. */
export interface PlanContext {
  readonly running: boolean;
  hasPortGroup(name: string): boolean;
  newMac(): string;
  macIsTaken(mac: string): boolean;
}

/** What is to be done on a running machine. */
export type HotAction =
  | { readonly kind: 'attach'; readonly device: Device }
  | { readonly kind: 'detach'; readonly device: Device }
  | { readonly kind: 'update'; readonly device: Device; readonly before: Device };

/** The outcome of a list of device changes: nothing has been touched yet. */
export interface DevicePlan {
  readonly devices: readonly Device[];
  readonly disks: readonly DiskAction[];
  readonly hot: readonly HotAction[];
}

/** Works out what a list of device changes means for a machine, refusing what cannot be. */
export function planDeviceChanges(
  record: VmRecord,
  changes: readonly VirtualDeviceConfigSpec[],
  context: PlanContext,
): DevicePlan {
  const planner = new DevicePlanner(record, context);
  changes.forEach((change, index) => planner.apply(change, index));
  return planner;
}

const MAX_DEVICES = 64;

/** Applies device changes one after another to a copy of the device list. */
export class DevicePlanner implements DevicePlan {
  readonly record: VmRecord;
  readonly context: PlanContext;
  devices: Device[];
  readonly disks: DiskAction[] = [];
  readonly hot: HotAction[] = [];
  /** Keys of the specification and the keys the devices really got. */
  readonly #keys = new Map<number, number>();

  constructor(record: VmRecord, context: PlanContext) {
    this.record = record;
    this.context = context;
    this.devices = [...record.devices];
  }

  apply(change: VirtualDeviceConfigSpec, index: number): void {
    if (change.fileOperation === 'replace') throw notSupported('fileOperation replace is not supported.');
    if ((change.profile?.length ?? 0) > 0 || change.backing !== undefined)
      throw notSupported('Storage profiles are not supported.');
    switch (change.operation) {
      case 'add':
        this.#add(change, index);
        return;
      case 'edit':
        this.#edit(change.device, index);
        return;
      case 'remove':
        this.#remove(change, index);
        return;
      case undefined:
        throw invalidDeviceSpec(index, 'operation', 'A device change needs an operation.');
    }
  }

  /** The controller that a device of the specification names, by its new key or an existing one. */
  controllerFor(device: VirtualDevice, base: string, index: number): Device {
    const asked = device.controllerKey;
    const key = asked === undefined ? undefined : (this.#keys.get(asked) ?? asked);
    const controllers = this.devices.filter((candidate) => isDataSubtype(candidate.$type, base));
    const found = key === undefined ? controllers[0] : controllers.find((candidate) => candidate.key === key);
    if (found === undefined)
      throw invalidDeviceSpec(index, 'controllerKey', `Device change ${index} names no ${base} of this machine.`);
    return found;
  }

  /** A key that no device has, from `first` on. */
  freeKey(first: number): number {
    const taken = new Set(this.devices.map((device) => device.key));
    let key = first;
    while (taken.has(key)) key++;
    return key;
  }

  #add(change: VirtualDeviceConfigSpec, index: number): void {
    if (this.devices.length >= MAX_DEVICES)
      throw invalidDeviceSpec(index, 'device', `A machine has at most ${MAX_DEVICES} devices.`);
    const device = change.device as Device;
    const type = device.$type;
    if (isDataSubtype(type, 'VirtualIDEController')) {
      // Both IDE controllers exist from the start; a specification that brings its own means the first.
      this.#keys.set(device.key, 200);
      return;
    }
    const added = this.#planned(change, device, index);
    this.devices.push(added);
    this.#keys.set(device.key, added.key);
    if (this.context.running && isHotPluggable(type)) this.hot.push({ kind: 'attach', device: added });
  }

  #planned(change: VirtualDeviceConfigSpec, device: Device, index: number): Device {
    const type = device.$type;
    if (isDataSubtype(type, 'VirtualSCSIController')) return this.#scsiController(device);
    if (isDataSubtype(type, 'VirtualDisk')) return planDiskAdd(this, change, index);
    if (isDataSubtype(type, 'VirtualEthernetCard')) return planNic(this, device, undefined, index);
    const isSerialPort = isDataSubtype(type, 'VirtualSerialPort');
    if (!isSerialPort && !isDataSubtype(type, 'VirtualCdrom'))
      throw notSupported(`This host has no device of type ${type}.`);
    this.#requireOff(type, index);
    if (isSerialPort) return planSerialPort(this, device, undefined, index);
    return planCdrom(this, device, undefined, index);
  }

  #scsiController(device: Device): Device {
    if (this.devices.some((other) => isDataSubtype(other.$type, 'VirtualSCSIController'))) {
      throw notSupported('A machine has one SCSI controller.');
    }
    const label = { label: 'SCSI controller 0', summary: device.$type };
    return {
      $type: device.$type,
      key: 1000,
      deviceInfo: label,
      controllerKey: 100,
      unitNumber: 3,
      busNumber: 0,
      hotAddRemove: true,
      sharedBus: 'noSharing',
      scsiCtlrUnitNumber: 7,
    } as Device;
  }

  #edit(wanted: VirtualDevice, index: number): void {
    const before = this.#existing(wanted.key, index);
    const after = this.#edited(wanted as Device, before, index);
    this.devices = this.devices.map((device) => (device === before ? after : device));
    if (this.context.running && isDataSubtype(before.$type, 'VirtualEthernetCard'))
      this.hot.push({ kind: 'update', device: after, before });
  }

  #edited(wanted: Device, before: Device, index: number): Device {
    const type = before.$type;
    if (wanted.$type !== type)
      throw invalidDeviceSpec(index, 'device', `Device ${before.key} is a ${type}, not a ${wanted.$type}.`);
    if (isDataSubtype(type, 'VirtualDisk')) return planDiskEdit(this, wanted, before, index);
    if (isDataSubtype(type, 'VirtualEthernetCard')) return planNic(this, wanted, before, index);
    this.#requireOff(type, index);
    if (isDataSubtype(type, 'VirtualSerialPort')) return planSerialPort(this, wanted, before, index);
    if (isDataSubtype(type, 'VirtualCdrom')) return planCdrom(this, wanted, before, index);
    throw invalidDeviceSpec(index, 'device', `A ${type} cannot be edited.`);
  }

  #remove(change: VirtualDeviceConfigSpec, index: number): void {
    const device = this.#existing(change.device.key, index);
    if (device.key < 1000) throw invalidDeviceSpec(index, 'device', 'This device is part of every machine.');
    if (this.devices.some((other) => other.controllerKey === device.key)) {
      throw invalidDeviceSpec(index, 'device', `Devices are still attached to controller ${device.key}.`);
    }
    if (isDataSubtype(device.$type, 'VirtualDisk')) planDiskRemove(this, device, change.fileOperation === 'destroy');
    else if (!isDataSubtype(device.$type, 'VirtualEthernetCard')) this.#requireOff(device.$type, index);
    this.devices = this.devices.filter((other) => other !== device);
    if (this.context.running && isHotPluggable(device.$type)) this.hot.push({ kind: 'detach', device });
  }

  #existing(key: number, index: number): Device {
    const device = this.devices.find((candidate) => candidate.key === (this.#keys.get(key) ?? key));
    if (device === undefined) throw invalidDeviceSpec(index, 'key', `The machine has no device with key ${key}.`);
    return device;
  }

  #requireOff(type: string, index: number): void {
    if (this.context.running)
      throw invalidDeviceSpec(index, 'device', `A ${type} can only be changed while the machine is off.`);
  }
}

function isHotPluggable(type: string): boolean {
  return isDataSubtype(type, 'VirtualDisk') || isDataSubtype(type, 'VirtualEthernetCard');
}
