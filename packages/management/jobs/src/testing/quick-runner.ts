import { silentLogger } from '@vic/log';
import type { Database } from '@vic/sql';
import {
  type JobKind,
  JobRunner,
  type JobRunnerOptions,
  type JobVendor,
  type NewExecution,
  type NewJob,
} from '../index.ts';

/** Looks often; the lease is one that no busy machine outlives, and is looked after six times as often. */
export const QUICK: JobRunnerOptions = { pollMs: 20, leaseMs: 6000 };
/** How often a test looks. */
export const POLL = { interval: 20 };

/** Succeeds if its payload is `ok`. */
export const maybe: JobKind = {
  kind: 'maybe',
  run: async ({ job }) => {
    if (job.payload['ok'] !== true) throw new Error('no');
  },
};

/** An execution of those tasks. */
export function execution(tasks: readonly NewJob[]): NewExecution {
  return { vendorType: 'TEST', vendorId: 7, trigger: 'MANUAL', tasks };
}

/** A runner that has been started. */
export function running(
  database: Database,
  kinds: JobKind | readonly JobKind[],
  ...vendors: readonly JobVendor[]
): JobRunner {
  const work = { kinds: [kinds].flat() as readonly JobKind[], vendors };
  const runner = new JobRunner({ database, logger: silentLogger() }, work, QUICK);
  runner.start();
  return runner;
}
