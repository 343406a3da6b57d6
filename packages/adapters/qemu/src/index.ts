export { QmpClient } from './qmp-client.ts';
export type { QmpEvent, QmpWait } from './qmp-client.ts';
export {
  CONSOLE_BYTES,
  CONSOLE_DEVICE,
  LAYOUT_VERSION,
  PRIMARY_NIC,
  SCSI_BUS,
  machineArguments,
} from './command-line.ts';
export type { Acceleration, CharacterDevice, KernelBoot, MachineCommandLine, MachineMemory } from './command-line.ts';
export { QEMU_PROGRAM, qemuVersion } from './qemu-version.ts';
export { SOFTWARE_ACCELERATION, bootsWith, chooseAcceleration } from './acceleration.ts';
export type { AccelerationOptions, ProbeUser, ProbeWait } from './acceleration.ts';
export { BootImages } from './boot-image.ts';
export type { BootImage } from './boot-image.ts';
export { IsoImage } from './iso9660.ts';
export type { IsoSource } from './iso9660.ts';
export { kernelRelease } from './kernel-release.ts';
export { pvhStub } from './pvh-stub.ts';
export { restoreDeviceState, saveDeviceState } from './device-state.ts';
export type { DeviceStateTarget } from './device-state.ts';
export { NBD_PROGRAM, nbdServerArguments } from './nbd-server.ts';
export type { NbdExport } from './nbd-server.ts';
export { backingChain } from './qcow2-chain.ts';
