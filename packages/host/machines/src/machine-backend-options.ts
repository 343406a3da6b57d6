import type { Logger } from '@vic/log';
import type { SwitchPorts } from './switch-ports.ts';

/** A host program that can be the inside of a machine: a process VM. */
export interface MachineProgram {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** File with `NAME=value` lines for its environment; nothing else is inherited. */
  readonly environmentFile?: string;
}

/** What {@link createMachineBackend} needs. */
export interface MachineBackendOptions {
  /** Where records, journals, sockets and logs of running machines are; absolute, on a local file system. */
  readonly runtimeDirectory: string;
  /** Where memory files of machines are; best on a tmpfs. `runtimeDirectory` when absent. */
  readonly memoryDirectory?: string;
  /** Programs process VMs may run, by the name in their configuration. */
  readonly programs: Readonly<Record<string, MachineProgram>>;
  readonly network: SwitchPorts;
  /** First of the user and group ids machines run as, one each; nothing else on the host may use them. */
  readonly qemuUserBase: number;
  /** Name of the control group that has those of pools and machines in it; without it processors are not shared out. */
  readonly cpuGroup?: string;
  readonly logger: Logger;
}
