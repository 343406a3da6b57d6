import { appendEvent } from '@vic/events';
import {
  Immutability,
  ImmutabilityGate,
  QuotaGate,
  type Quotas,
  Retention,
  immutabilityRoutes,
  quotaRoutes,
  retentionJob,
  retentionRoutes,
} from '@vic/policies';
import type { ArtifactGate, RepositoryStore } from '@vic/repositories';
import type { Storage } from '../storage.ts';
import type { Contribution } from './contribution.ts';
import type { Management } from './management.ts';

/** The gates of immutability and quotas, which the store is made with. */
export function policyGates(
  { database }: Storage,
  immutability: Immutability,
  quotas: Quotas,
): readonly ArtifactGate[] {
  return [new ImmutabilityGate({ database, immutability }), new QuotaGate({ database, quotas, appendEvent })];
}

/** Policies, with what has to go when their project does. */
export interface PolicyParts extends Contribution {
  readonly retention: Retention;
}

/** Composes immutability, retention and quotas. */
export function composePolicies(
  { database }: Storage,
  { jobs, schedules, projects }: Management,
  parts: { readonly store: RepositoryStore; readonly immutability: Immutability; readonly quotas: Quotas },
): PolicyParts {
  const { store, immutability, quotas } = parts;
  const retention = new Retention({
    database,
    jobs,
    schedules,
    tieToProject: async (transaction, projectId, policyId) => projects.setRetention(transaction, projectId, policyId),
    appendEvent,
  });
  return {
    retention,
    routes: [quotaRoutes(quotas), immutabilityRoutes(immutability), retentionRoutes({ database, retention })],
    jobKinds: [retentionJob({ database, store, immutability })],
    vendors: [retention.vendor],
  };
}
