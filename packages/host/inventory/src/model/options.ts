import type { Logger } from '@vic/log';
import type { DatastoreBackend, MachineBackend, SwitchBackend } from '../backends/index.ts';

/** What {@link createInventory} needs. */
export interface InventoryOptions {
  /** Where the inventory keeps its records; made with mode 0700. One inventory per directory. */
  readonly stateDirectory: string;
  /** The host's name in the inventory. */
  readonly hostname: string;
  readonly datastores: DatastoreBackend;
  readonly machines: MachineBackend;
  readonly switches: SwitchBackend;
  /** Names that extraConfig `vic.program` may have. */
  readonly programs: readonly string[];
  /** JSON file of the users that may log in; see {@link writeUsers}. Read again whenever it changes. */
  readonly usersFile: string;
  readonly logger: Logger;
  /** The present time; the system's when absent. */
  readonly clock?: () => Date;
  /** What the host offers to machines; the system's own figures when absent. */
  readonly capacity?: HostCapacity;
}

/** Processors and memory of the host. */
export interface HostCapacity {
  readonly cpus: number;
  readonly cpuMhz: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
}
