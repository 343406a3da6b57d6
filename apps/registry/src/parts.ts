import { catalogRoutes } from '@vic/catalog';
import { type EventConsumer, appendEvent } from '@vic/events';
import type { JobKind, JobVendor } from '@vic/jobs';
import type { Logger } from '@vic/log';
import {
  Immutability,
  ImmutabilityGate,
  QuotaGate,
  Quotas,
  Retention,
  immutabilityRoutes,
  quotaRoutes,
  retentionJob,
  retentionRoutes,
} from '@vic/policies';
import { projectRestRoutes, visibleProjectIds } from '@vic/projects';
import { Replication } from '@vic/replication';
import { RepositoryStore } from '@vic/repositories';
import type { RestRoutes } from '@vic/rest';
import { settingRoutes } from '@vic/settings';
import type { RegistryConfiguration } from './configuration.ts';
import { type Management, composeManagement } from './management.ts';
import type { Storage } from './storage.ts';
import { VERSION } from './version.ts';

/** Everything the program is made of; nothing runs until it is started. */
export interface Parts extends AsyncDisposable {
  readonly management: Management;
  readonly store: RepositoryStore;
  readonly replication: Replication;
  readonly routes: readonly RestRoutes[];
  readonly jobKinds: readonly JobKind[];
  readonly vendors: readonly JobVendor[];
  readonly consumers: readonly EventConsumer[];
}

/** Composes the registry on its storage. */
export function composeParts(
  configuration: RegistryConfiguration,
  storage: Storage,
  options: { readonly logger: Logger; readonly hasAuthority: boolean },
): Parts {
  const { database, blobs, secrets } = storage;
  const { logger } = options;
  const quotas = new Quotas({
    database,
    defaultLimitBytes: async () => management.settings.get('storage_per_project'),
  });
  const management: Management = composeManagement(configuration, storage, {
    quotas,
    registries: {
      check: async (id) => replication.check(id),
      describe: async (id) => replication.describe(id),
    },
    onProjectDeleted: [],
    metadataKeys: [],
  });
  const { settings, projects, members, identity, jobs, schedules, allowlists, contents } = management;
  const immutability = new Immutability({ database });
  const store = new RepositoryStore({
    database,
    blobs,
    logger,
    gates: [new ImmutabilityGate({ database, immutability }), new QuotaGate({ database, quotas, appendEvent })],
  });
  const retention = new Retention({
    database,
    jobs,
    schedules,
    tieToProject: async (transaction, projectId, policyId) => projects.setRetention(transaction, projectId, policyId),
    appendEvent,
  });
  const replication: Replication = new Replication(
    { database, secrets, jobs, schedules, logger, repositories: store, blobs, projects },
    { selfName: new URL(configuration.externalUrl).host },
  );
  const { accounts } = identity;
  const visibleTo: typeof visibleProjectIds extends (e: never, p: infer P) => infer R
    ? (principal: P) => R
    : never = async (principal) => visibleProjectIds(database.db, principal);
  const project = { database, accounts, contents, quotas, registries: replication };
  return {
    management,
    store,
    replication,
    routes: [
      ...projectRestRoutes({
        ...project,
        projects,
        members,
        allowlists,
        projectCreation: async () => settings.get('project_creation_restriction'),
      }),
      settingRoutes({
        settings,
        installation: {
          version: VERSION,
          externalUrl: configuration.externalUrl,
          storageProvider: storage.provider,
          hasCertificateAuthority: options.hasAuthority,
        },
      }),
      catalogRoutes({
        database,
        store,
        blobs,
        projects: { visibleTo, describe: async () => [] },
        appendEvent,
        immutability,
      }),
      quotaRoutes(quotas),
      immutabilityRoutes(immutability),
      retentionRoutes({ database, retention }),
      replication.routes,
    ],
    jobKinds: [retentionJob({ database, store, immutability }), ...replication.jobKinds],
    vendors: [retention.vendor, replication.vendor],
    consumers: [replication.consumer],
    [Symbol.asyncDispose]: async () => {
      await replication[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await management[Symbol.asyncDispose]();
    },
  };
}
