import { randomBytes } from 'node:crypto';
import { randomUuid } from '@vic/ids';
import type { ManagedByInfo, ResourceAllocationInfo, VirtualDevice, VirtualMachinePowerState } from '@vic/vim';

/** A device as it is kept: the API's own form, with its type named. */
export type Device = VirtualDevice & { readonly $type: string };

/** Everything the inventory knows about a machine; never changed in place. */
export interface VmRecord {
  readonly moid: string;
  readonly name: string;
  /** BIOS UUID: the identity of the machine towards the backend. */
  readonly uuid: string;
  readonly instanceUuid: string;
  readonly guestId: string;
  readonly alternateGuestName: string;
  readonly annotation: string;
  readonly cpus: number;
  readonly coresPerSocket: number;
  readonly memoryMiB: number;
  /** Datastore path of the configuration file. */
  readonly vmPathName: string;
  /** Counts changes of the configuration. */
  readonly changeNumber: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly devices: readonly Device[];
  readonly extraConfig: Readonly<Record<string, string>>;
  /** Write-only keys of extraConfig. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly cpuAllocation: ResourceAllocationInfo;
  readonly memoryAllocation: ResourceAllocationInfo;
  readonly managedBy: ManagedByInfo | undefined;
  /** Value of the resource pool's reference. */
  readonly pool: string;
  readonly powerState: VirtualMachinePowerState;
  readonly bootedAtMs: number | undefined;
  readonly cleanPowerOff: boolean;
  /** BIOS UUID of the instant clone source. */
  readonly forkedFrom: string | undefined;
  readonly frozen: boolean;
}

const UNLIMITED: ResourceAllocationInfo = {
  reservation: 0,
  expandableReservation: false,
  limit: -1,
  shares: { shares: 1000, level: 'normal' },
};

/** Devices that every machine has. */
const BASE_DEVICES: readonly Device[] = [
  controller('VirtualIDEController', 200, 0, 'IDE 0'),
  controller('VirtualIDEController', 201, 1, 'IDE 1'),
  controller('VirtualPS2Controller', 300, 0, 'PS2 controller 0'),
  controller('VirtualPCIController', 100, 0, 'PCI controller 0'),
  controller('VirtualSIOController', 400, 0, 'SIO controller 0'),
];

/** A new machine that is off and has only the devices every machine has. */
export function newRecord(init: {
  name: string;
  vmPathName: string;
  pool: string;
  nowMs: number;
  uuid?: string | undefined;
  instanceUuid?: string | undefined;
}): VmRecord {
  return {
    moid: `vm-${randomBytes(5).toString('hex')}`,
    name: init.name,
    uuid: (init.uuid ?? randomUuid()).toLowerCase(),
    instanceUuid: (init.instanceUuid ?? randomUuid()).toLowerCase(),
    guestId: 'otherGuest64',
    alternateGuestName: '',
    annotation: '',
    cpus: 1,
    coresPerSocket: 1,
    memoryMiB: 256,
    vmPathName: init.vmPathName,
    changeNumber: 1,
    createdAtMs: init.nowMs,
    modifiedAtMs: init.nowMs,
    devices: BASE_DEVICES,
    extraConfig: {},
    secrets: {},
    cpuAllocation: UNLIMITED,
    memoryAllocation: UNLIMITED,
    managedBy: undefined,
    pool: init.pool,
    powerState: 'poweredOff',
    bootedAtMs: undefined,
    cleanPowerOff: true,
    forkedFrom: undefined,
    frozen: false,
  };
}

/** The folder of a machine's own files, as a datastore path. */
export function folderOf(record: VmRecord): string {
  return record.vmPathName.replace(/\/[^/]*$/, '');
}

/** Whether a key of extraConfig is write-only: its last dotted component starts with `secret`. */
export function isSecretKey(key: string): boolean {
  return key.slice(key.lastIndexOf('.') + 1).startsWith('secret');
}

function controller(type: string, key: number, busNumber: number, label: string): Device {
  return { $type: type, key, deviceInfo: { label, summary: label }, busNumber } as Device;
}
