import type { Logger } from '@vic/log';
import type { DatastoreBackend, MachineBackend, SwitchBackend } from '../backends/index.ts';
import type { Authorization } from '../server/authorization.ts';
import type { Sessions } from '../server/sessions.ts';
import type { Users } from '../server/users.ts';
import type { EventLog } from './event-log.ts';
import type { Changes } from './changes.ts';
import type { ObjectRegistry } from './object-registry.ts';
import type { HostCapacity } from './options.ts';
import type { StateStore } from './state-store.ts';
import type { Tasks } from './tasks.ts';
import type { UnfinishedWork } from './unfinished-work.ts';

/** What the managed objects of one host share. */
export interface Host {
  readonly hostname: string;
  /** UUID of the host's hardware, made up once. */
  readonly uuid: string;
  readonly capacity: HostCapacity;
  readonly programs: ReadonlySet<string>;
  readonly changes: Changes;
  readonly objects: ObjectRegistry;
  readonly tasks: Tasks;
  readonly events: EventLog;
  readonly store: StateStore;
  readonly unfinished: UnfinishedWork;
  readonly sessions: Sessions;
  readonly users: Users;
  readonly authorization: Authorization;
  readonly datastores: DatastoreBackend;
  readonly machines: MachineBackend;
  readonly switches: SwitchBackend;
  readonly logger: Logger;
  readonly bootTime: Date;
  /** Fires when the inventory is closed. */
  readonly closing: AbortSignal;
  now(): Date;
}
