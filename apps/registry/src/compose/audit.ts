import { type AuditForwarding, AuditLog, AuditPurge, AuditWorker, auditConsumer, auditRoutes } from '@vic/audit';
import { systemJobRoutes } from '@vic/jobs';
import type { Logger } from '@vic/log';
import type { Storage } from '../storage.ts';
import type { Contribution } from './contribution.ts';
import type { Management } from './management.ts';

/** The audit log with its worker, which chains and forwards records. */
export interface Audit extends Contribution {
  readonly log: AuditLog;
}

/** Composes the audit log. */
export function composeAudit(
  { database }: Storage,
  management: Management,
  { forwarding, logger }: { readonly forwarding: AuditForwarding; readonly logger: Logger },
): Audit {
  const { jobs, schedules, members } = management;
  const settings = async (): ReturnType<Management['settings']['values']> => management.settings.values();
  const log = new AuditLog({ database, settings });
  const purge = new AuditPurge({ database, jobs, settings });
  const worker = new AuditWorker({
    database,
    logger,
    settings,
    send: forwarding.send,
  });
  return {
    log,
    routes: [
      auditRoutes({
        log,
        projectsWithLogsFor: async (principal) =>
          (await members.projectsWhere(principal, { resource: 'log', action: 'list' })).map(({ id }) => id),
      }),
      systemJobRoutes({ jobs, schedules }, purge.systemJob),
    ],
    jobKinds: [purge],
    vendors: [purge],
    consumers: [auditConsumer(log)],
    start: () => worker.start(),
    [Symbol.asyncDispose]: async () => worker[Symbol.asyncDispose](),
  };
}
