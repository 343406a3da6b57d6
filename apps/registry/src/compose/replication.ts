import { join } from 'node:path';
import type { Logger } from '@vic/log';
import { ProxyCache, Replication } from '@vic/replication';
import { RepositoryStore } from '@vic/repositories';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';
import type { Contribution } from './contribution.ts';
import type { Management } from './management.ts';
import type { Trust } from './trust.ts';
import type { ArtifactGate } from '@vic/repositories';
import type { Projects } from '@vic/projects';

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
  readonly trust: Trust;
  readonly logger: Logger;
}

/** Composes replication and the proxy cache. */
export function composeReplication(input: ReplicationInput): ReplicationParts {
  const { configuration, storage, management, store, gates, trust, logger } = input;
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
      checks: {
        signature: async ({ projectId, repository, digest }) => {
          const policy = await trust.policies.find(projectId);
          const subject = { repository, digest };
          const verdicts = [
            await trust.verifier.judge(policy, 'cosign', subject),
            await trust.verifier.judge(policy, 'notation', subject),
          ];
          return verdicts.some(({ trusted }) => trusted) ? undefined : verdicts[0]?.reason;
        },
      },
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
