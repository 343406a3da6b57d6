import type { Broadcast } from '@vic/async';
import type { MachineEvent } from '@vic/inventory';
import type { Logger } from '@vic/log';
import type { Acceleration, BootImages } from '@vic/qemu';
import type { MachineFiles } from './machine-files.ts';
import type { MachineProgram } from './machine-backend-options.ts';
import type { CpuGroups } from './cpu-groups.ts';
import type { SwitchPorts } from './switch-ports.ts';
import type { UserIds } from './user-ids.ts';

/** What all machines of a backend share. */
export interface MachineContext {
  readonly files: (id: string) => MachineFiles;
  readonly programs: Readonly<Record<string, MachineProgram>>;
  readonly network: SwitchPorts;
  readonly users: UserIds;
  /** Groups every QEMU is in: {@link UserIds.commonGroup} and the one for hardware acceleration. */
  readonly groups: readonly number[];
  readonly bootImages: BootImages;
  /** Kernel of machines that restore the memory of another. */
  readonly stubKernel: string;
  readonly acceleration: Acceleration;
  readonly qemuVersion: string;
  /** `undefined` where processors cannot be shared out. */
  readonly cpuGroups: CpuGroups | undefined;
  /** This boot of the host. */
  readonly bootId: string;
  readonly events: Broadcast<MachineEvent>;
  /** Called once a machine ended by itself, before its event is published. */
  readonly onEnded: (id: string) => void;
  readonly logger: Logger;
}
