import type { Database } from '@vic/sql';
import type { JobVendor } from './job-kind.ts';

const DEFAULT_KEPT_EXECUTIONS = 50;
/** How long ended jobs that belong to no execution are kept. */
const KEEP_JOBS_MS = 7 * 24 * 60 * 60 * 1000;

/** Removes ended executions beyond the number kept for each owner, and old jobs that belong to none. */
export async function sweepJobs({ db }: Database, vendors: ReadonlyMap<string, JobVendor>): Promise<void> {
  await db
    .deleteFrom('job')
    .where('execution_id', 'is', null)
    .where('ended_at', '<', Date.now() - KEEP_JOBS_MS)
    .execute();
  const owners = await db
    .selectFrom('job_execution')
    .select(['vendor_type', 'vendor_id'])
    .groupBy(['vendor_type', 'vendor_id'])
    .execute();
  for (const { vendor_type: type, vendor_id: id } of owners) {
    const kept = vendors.get(type)?.keepExecutions ?? DEFAULT_KEPT_EXECUTIONS;
    const oldestKept = await db
      .selectFrom('job_execution')
      .select('id')
      .where('vendor_type', '=', type)
      .where('vendor_id', '=', id)
      .orderBy('id', 'desc')
      .limit(1)
      .offset(Math.max(0, kept - 1))
      .executeTakeFirst();
    if (oldestKept === undefined) continue;
    await db
      .deleteFrom('job_execution')
      .where('vendor_type', '=', type)
      .where('vendor_id', '=', id)
      .where('id', '<', oldestKept.id)
      .where('status', '!=', 'Running')
      .execute();
  }
}
