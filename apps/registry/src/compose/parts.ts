import { hostname } from 'node:os';
import { type AuditLog, auditForwarding } from '@vic/audit';
import { catalogRoutes } from '@vic/catalog';
import { appendEvent } from '@vic/events';
import { GarbageCollection } from '@vic/gc';
import { identityRoutes } from '@vic/identity';
import { JobMonitor, jobRoutes } from '@vic/jobs';
import type { Logger } from '@vic/log';
import type { Notary } from '@vic/notary';
import { Immutability, Quotas } from '@vic/policies';
import { projectRestRoutes, visibleProjectIds } from '@vic/projects';
import type { ProxyCache, Replication } from '@vic/replication';
import { RepositoryStore } from '@vic/repositories';
import { SCANNING_METADATA_KEYS, type Scanning, scanningRoutes } from '@vic/scanning';
import { settingRoutes } from '@vic/settings';
import { trustRoutes } from '@vic/trust';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';
import { VERSION } from '../version.ts';
import { composeAudit } from './audit.ts';
import { type Contribution, type Contributions, collect } from './contribution.ts';
import { type Management, composeManagement } from './management.ts';
import { type PolicyParts, composePolicies, policyGates } from './policies.ts';
import { composeHousekeeping } from './housekeeping.ts';
import { promotionChecks } from './promotion-checks.ts';
import { type ReplicationParts, composeReplication } from './replication.ts';
import { composeScanning } from './scanning.ts';
import { type Trust, composeTrust } from './trust.ts';
import { composeWebhooks } from './webhooks.ts';

/** Everything the program is made of; nothing runs until it is started. */
export interface Parts extends Contributions {
  readonly management: Management;
  readonly store: RepositoryStore;
  readonly proxy: ProxyCache;
  readonly replication: Replication;
  readonly monitor: JobMonitor;
  readonly notary: Notary;
  readonly audit: AuditLog;
  readonly gc: GarbageCollection;
  readonly scanning: Scanning;
}

/** Composes the registry on its storage. */
export function composeParts(
  configuration: RegistryConfiguration,
  storage: Storage,
  options: { readonly logger: Logger; readonly hasAuthority: boolean },
): Parts {
  const { database, blobs } = storage;
  const { logger } = options;
  const quotas = new Quotas({
    database,
    defaultLimitBytes: async () => management.settings.get('storage_per_project'),
  });
  const forwarding = auditForwarding({ source: { host: hostname(), program: 'vic-registry' } });
  const management: Management = composeManagement(configuration, storage, {
    settingChecks: [forwarding.check],
    quotas,
    registries: {
      check: async (id) => replication.replication.check(id),
      describe: async (id) => replication.replication.describe(id),
    },
    onProjectDeleted: [
      async (transaction, project) => trust.policies.projectDeleted(transaction, project.id),
      async (transaction, project) => store.projectDeleted(transaction, project.id),
      async (transaction, project) => policies.retention.removeOfProject(transaction, project.id),
    ],
    metadataKeys: SCANNING_METADATA_KEYS,
  });
  const { projects, authorizer, jobs, schedules } = management;
  const immutability = new Immutability({ database });
  const trust: Trust = composeTrust(configuration, storage, { projects, authorizer, store: () => store });
  // Scanning reads and writes through the store, whose gates include its own: it gets the one without.
  const ungated = new RepositoryStore({ database, blobs, logger });
  const scanning = composeScanning({ configuration, storage, management, store: ungated, logger });
  const gates = [...policyGates(storage, immutability, quotas), trust.gate, scanning.gate];
  const store: RepositoryStore = new RepositoryStore({ database, blobs, logger, gates });
  const replication: ReplicationParts = composeReplication({
    ...{ configuration, storage, management, store, gates, logger },
    checks: promotionChecks(() => scanning, trust),
  });
  const policies: PolicyParts = composePolicies(storage, management, { store, immutability, quotas });
  const gc = new GarbageCollection({ database, blobs, store, jobs, schedules });
  const audit = composeAudit(storage, management, { forwarding, logger });
  const contributions = [
    storeLife(ungated),
    storeLife(store),
    peopleAndProjects(configuration, storage, { management, quotas, replication, hasAuthority: options.hasAuthority }),
    catalog(storage, { management, store, immutability, scanning }),
    policies,
    { routes: [trustRoutes({ policies: trust.policies, verifier: trust.verifier, store })] },
    scanningContribution(scanning),
    replication,
    { routes: gc.routes, jobKinds: gc.kinds, vendors: gc.vendors },
    audit,
    composeWebhooks(configuration, storage, management),
    composeHousekeeping(management, logger),
  ];
  const kinds = contributions.flatMap(({ jobKinds = [] }) => jobKinds.map(({ kind }) => kind));
  const monitor = new JobMonitor(database, kinds);
  return {
    ...collect([management, ...contributions, { routes: [jobRoutes({ jobs, schedules, monitor })] }]),
    monitor,
    replication: replication.replication,
    management,
    store,
    proxy: replication.proxy,
    notary: trust.notary,
    audit: audit.log,
    gc,
    scanning,
  };
}

function storeLife(store: RepositoryStore): Contribution {
  return { [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose]() };
}

function peopleAndProjects(
  configuration: RegistryConfiguration,
  storage: Storage,
  parts: {
    readonly management: Management;
    readonly quotas: Quotas;
    readonly replication: ReplicationParts;
    readonly hasAuthority: boolean;
  },
): Contribution {
  const { settings, identity, projects, members, allowlists, contents } = parts.management;
  return {
    routes: [
      identityRoutes({ identity, administrators: members }),
      ...projectRestRoutes({
        database: storage.database,
        accounts: identity.accounts,
        contents,
        quotas: parts.quotas,
        registries: parts.replication.replication,
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
          hasCertificateAuthority: parts.hasAuthority,
        },
      }),
    ],
  };
}

function catalog(
  { database, blobs }: Storage,
  parts: {
    readonly management: Management;
    readonly store: RepositoryStore;
    readonly immutability: Immutability;
    readonly scanning: Scanning;
  },
): Contribution {
  const { management, store, immutability, scanning } = parts;
  return {
    routes: [
      catalogRoutes({
        database,
        store,
        blobs,
        projects: {
          visibleTo: async (principal) => visibleProjectIds(database.db, principal),
          describe: async (ids, viewer) => {
            const found = await Promise.all(ids.map(async (id) => management.projects.findById(id)));
            return management.presenter.bodies(
              found.filter((project) => project !== undefined),
              viewer,
            );
          },
        },
        appendEvent,
        immutability,
        overviews: scanning.providers,
        reports: scanning.providers,
      }),
    ],
  };
}

function scanningContribution(scanning: Scanning): Contribution {
  return {
    routes: [scanningRoutes(scanning)],
    jobKinds: scanning.kinds,
    vendors: scanning.vendors,
    consumers: [scanning.consumer],
    start: async () => scanning.start(),
  };
}
