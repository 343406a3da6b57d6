import { type VirtualMachineConfigSpec, make } from '@vic/vim';

/** Adds a SCSI controller with the temporary key 100. */
export const controller = {
  operation: 'add',
  device: make('ParaVirtualSCSIController', { key: 100, busNumber: 0, sharedBus: 'noSharing' }),
} as const;
/** Adds a new disk, or a child of `parent`, at controller 100. */
export const disk = (
  fileName: string,
  parent?: string,
  capacityInKB = 0,
): NonNullable<VirtualMachineConfigSpec['deviceChange']>[number] => ({
  operation: 'add',
  fileOperation: 'create',
  device: make('VirtualDisk', {
    key: -1,
    controllerKey: 100,
    unitNumber: -1,
    capacityInKB,
    backing: make('VirtualDiskFlatVer2BackingInfo', {
      fileName,
      diskMode: 'persistent',
      ...(parent === undefined
        ? {}
        : { parent: make('VirtualDiskFlatVer2BackingInfo', { fileName: parent, diskMode: 'persistent' }) }),
    }),
  }),
});
/** Adds or edits a serial port that appends to a file. */
export const serialFile = (
  key: number,
  operation: 'add' | 'edit',
  fileName: string,
): NonNullable<VirtualMachineConfigSpec['deviceChange']>[number] => ({
  operation,
  device: make('VirtualSerialPort', {
    key,
    yieldOnPoll: true,
    backing: make('VirtualSerialPortFileBackingInfo', { fileName }),
  }),
});
/** Adds a NIC in the port group `VM Network`. */
export const nic = {
  operation: 'add',
  device: make('VirtualVmxnet3', {
    key: -5,
    backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: 'VM Network' }),
  }),
} as const;
