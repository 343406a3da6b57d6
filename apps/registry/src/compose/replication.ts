import { join } from 'node:path';
import type { Logger } from '@vic/log';
import { type PromotionChecks, ProxyCache, Replication } from '@vic/replication';
import type { Projects } from '@vic/projects';
import { type ArtifactGate, RepositoryStore } from '@vic/repositories';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';
import type { Contribution } from './contribution.ts';
import type { Management } from './management.ts';

/** Replication between registries, and the projects that stand for another one. */
export interface ReplicationParts extends Contribution {
  readonly replication: Replication;
  readonly proxy: ProxyCache;
}

/** What replication is composed of here. */
export interface ReplicationInput {
  readonly configuration: RegistryConfiguration;
  readonly storage: Storage;
  readonly management: Pick<Management, 'jobs' | 'schedules'> & { readonly projects: Projects };
  readonly store: RepositoryStore;
  readonly gates: readonly ArtifactGate[];
  readonly checks: PromotionChecks;
  readonly logger: Logger;
}

/** Composes replication and the proxy cache. */
export function composeReplication(input: ReplicationInput): ReplicationParts {
  const { configuration, storage, management, store, gates, checks, logger } = input;
  const { database, blobs, secrets } = storage;
  const { jobs, schedules, projects } = management;
  const replication = new Replication(
    {
      database,
      secrets,
      jobs,
      schedules,
      logger,
      repositories: store,
      blobs,
      projects,
      checks,
    },
    { selfName: new URL(configuration.externalUrl).host },
  );
  // What is cached may come without the blobs that nobody has pulled yet.
  const cached = new RepositoryStore({ database, blobs, logger, gates, sparse: 'all' });
  const proxy = new ProxyCache(
    {
      database,
      endpoints: replication.endpoints,
      factory: replication.factory,
      projects,
      repositories: cached,
      blobs,
      logger,
    },
    { spoolDirectory: join(configuration.dataDirectory, 'spool') },
  );
  return {
    replication,
    proxy,
    routes: [replication.routes],
    jobKinds: replication.jobKinds,
    vendors: [replication.vendor],
    consumers: [replication.consumer],
    start: () => replication.start(),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await replication[Symbol.asyncDispose]();
      await cached[Symbol.asyncDispose]();
    },
  };
}
