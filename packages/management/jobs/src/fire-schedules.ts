import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { Database, Schema, Selectable } from '@vic/sql';
import { nextRun } from './cron.ts';
import type { JobVendor } from './job-kind.ts';
import { toSchedule } from './job-rows.ts';
import { SCHEDULER } from './schedules.ts';

const BATCH = 50;

/** Fires the schedules that are due, each exactly once over all processes; times missed meanwhile are one. */
export async function fireSchedules(
  deps: { readonly database: Database; readonly logger: Logger },
  vendors: ReadonlyMap<string, JobVendor>,
): Promise<void> {
  const types = [...vendors.values()].filter((vendor) => vendor.onSchedule !== undefined);
  if (types.length === 0) return;
  const due = await deps.database.db
    .selectFrom('job_schedule')
    .selectAll()
    .where('next_run_at', '<=', Date.now())
    .where(
      'vendor_type',
      'in',
      types.map(({ vendorType }) => vendorType),
    )
    .where((column) =>
      column.not(column.exists(column.selectFrom('job_pause').select('kind').where('kind', '=', SCHEDULER))),
    )
    .orderBy('next_run_at')
    .limit(BATCH)
    .execute();
  for (const row of due) {
    try {
      await fire(deps.database, row, vendors.get(row.vendor_type));
    } catch (error) {
      deps.logger.error('A schedule could not be fired', { vendorType: row.vendor_type, error: describeError(error) });
      // Its next time may succeed; this one would be tried without end.
      await moveOn(deps.database.db, row);
    }
  }
}

async function fire(
  database: Database,
  row: Selectable<Schema['job_schedule']>,
  vendor: JobVendor | undefined,
): Promise<void> {
  await database.transaction(async (transaction) => {
    if (await moveOn(transaction, row)) await vendor?.onSchedule?.(toSchedule(row), transaction);
  });
}

/** Whether the time was still ahead: another process may have been faster, or the schedule been changed. */
async function moveOn(db: Database['db'], row: Selectable<Schema['job_schedule']>): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('job_schedule')
    .set({ next_run_at: nextRun(row.cron, Date.now()) ?? Number.MAX_SAFE_INTEGER })
    .where('id', '=', row.id)
    .where('next_run_at', '=', row.next_run_at)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
