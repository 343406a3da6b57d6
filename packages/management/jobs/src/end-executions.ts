import { describeError, isVicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { Database } from '@vic/sql';
import type { JobVendor } from './job-kind.ts';
import type { Execution, JobStatus } from './job-model.ts';
import { toExecutions } from './job-rows.ts';

const BATCH = 50;

/** Ends the executions whose tasks have all ended, each exactly once. */
export async function endExecutions(
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  vendors: ReadonlyMap<string, JobVendor>,
): Promise<void> {
  const done = await database.db
    .selectFrom('job_execution')
    .select(['id', 'vendor_type'])
    .where('status', '=', 'Running')
    .where((column) =>
      column.not(
        column.exists(
          column
            .selectFrom('job')
            .select('job.id')
            .whereRef('job.execution_id', '=', 'job_execution.id')
            .where('job.status', 'in', ['Pending', 'Running']),
        ),
      ),
    )
    .orderBy('id')
    .limit(BATCH)
    .execute();
  for (const { id, vendor_type: type } of done) {
    try {
      await endExecution(database, id, vendors.get(type));
    } catch (error) {
      if (isVicError(error, { class: 'Unavailable' })) throw error;
      logger.error('The end of an execution could not be handled', { execution: id, error: describeError(error) });
      await endExecution(database, id, undefined);
    }
  }
}

async function endExecution(database: Database, id: number, vendor: JobVendor | undefined): Promise<void> {
  await database.transaction(async (transaction) => {
    const row = await transaction
      .selectFrom('job_execution')
      .selectAll()
      .where('id', '=', id)
      .where('status', '=', 'Running')
      .executeTakeFirst();
    const [execution] = row === undefined ? [] : await toExecutions(transaction, [row]);
    if (execution === undefined || execution.tasks.Pending + execution.tasks.Running > 0) return;
    const now = Date.now();
    const ended: Execution = { ...execution, status: outcome(execution), endedAtMs: now, updatedAtMs: now };
    await transaction
      .updateTable('job_execution')
      .set({ status: ended.status, ended_at: now, updated_at: now })
      .where('id', '=', id)
      .execute();
    await vendor?.onExecutionEnded?.(ended, transaction);
  });
}

function outcome({ tasks }: Execution): JobStatus {
  if (tasks.Error > 0) return 'Error';
  return tasks.Stopped > 0 ? 'Stopped' : 'Success';
}
