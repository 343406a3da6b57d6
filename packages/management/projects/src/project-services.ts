import type { RegistryEvent } from '@vic/registry-api';
import type { Database, Executor } from '@vic/sql';
import type { MetadataKey } from './project-metadata.ts';
import type { Project } from './project.ts';

/** An account as membership needs to know it. */
export interface Account {
  readonly id: number;
  readonly name: string;
}

/** Names a user. */
export type UserReference = { readonly id: number } | { readonly name: string };
/** Names a group; one known to the directory only is taken over. */
export type GroupReference =
  | { readonly id: number }
  | { readonly name: string; readonly type?: number }
  | { readonly ldapDn: string; readonly name?: string };

/** Users and groups; implemented by identity. */
export interface AccountDirectory {
  /** A user known to a directory but not yet here is taken over. */
  findUser(reference: UserReference): Promise<Account | undefined>;
  /** As {@link findUser}, without asking a directory. */
  findKnownUser(reference: UserReference): Promise<Account | undefined>;
  findGroup(reference: GroupReference): Promise<Account | undefined>;
  /** Names by id; those that are gone are left out. */
  userNames(ids: readonly number[]): Promise<ReadonlyMap<number, string>>;
  groupNames(ids: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** Owns what robots make: the first administrator. */
  firstAdministrator(): Promise<Account>;
}

/** What is in a project; implemented by repositories. */
export interface ProjectContents {
  repositoryCount(executor: Executor, projectId: number): Promise<number>;
  repositoryCounts(projectIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

/** Storage limits; implemented by policies. */
export interface ProjectQuotas {
  /** Part of the project's creation; the default when no limit is given. Refuses limits that are not ones. */
  create(transaction: Executor, projectId: number, storageLimitBytes: number | undefined): Promise<void>;
  /** Replaces the limit; −1 for none. */
  set(executor: Executor, projectId: number, limitBytes: number): Promise<void>;
  /** As in the summary: bytes, −1 for no limit. */
  read(projectId: number): Promise<{ readonly limitBytes: number; readonly usedBytes: number }>;
}

/** Endpoints a proxy-cache project may stand for; implemented by replication. */
export interface ProxyRegistries {
  /** Throws `InvalidArgument` unless there is such a registry and it can be cached. */
  check(registryId: number): Promise<void>;
  /** The registry as the summary shows it. */
  describe(registryId: number): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** What {@link Projects} is composed of. */
export interface ProjectsDeps {
  readonly database: Database;
  readonly accounts: AccountDirectory;
  readonly contents: ProjectContents;
  readonly quotas: ProjectQuotas;
  readonly registries: ProxyRegistries;
  /** Writes an event in the transaction of the change it tells of. */
  appendEvent(transaction: Executor, event: RegistryEvent): Promise<unknown>;
  /** What else goes with a project, in the transaction of its deletion. */
  readonly onDelete?: readonly ((transaction: Executor, project: Project) => Promise<unknown>)[];
  /** Keys besides Harbor's. */
  readonly metadataKeys?: readonly MetadataKey[];
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}
