export { createMachineBackend, removeCpuGroups } from './create-machine-backend.ts';
export type { Machines } from './machines.ts';
export type { MachineBackendOptions, MachineProgram } from './machine-backend-options.ts';
export type { SwitchPorts } from './switch-ports.ts';
