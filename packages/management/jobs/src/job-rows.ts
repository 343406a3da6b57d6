import type { Executor, Insertable, Schema, Selectable } from '@vic/sql';
import type { Execution, Job, JobStatus, JobTrigger, JsonObject, NewJob } from './job-model.ts';
import type { CronType, Schedule } from './schedule.ts';

/** The row of a job that waits. */
export function toJobRow(job: NewJob, executionId: number | null, nowMs: number): Insertable<Schema['job']> {
  return {
    execution_id: executionId,
    kind: job.kind,
    payload: JSON.stringify(job.payload),
    status: 'Pending',
    status_message: '',
    attributes: JSON.stringify(job.attributes ?? {}),
    priority: job.priority ?? 0,
    active_key: job.activeKey ?? null,
    run_at: job.runAtMs ?? nowMs,
    run_count: 0,
    failures: 0,
    max_failures: job.maxFailures ?? 0,
    progress: 0,
    lease_until: 0,
    stop_requested: 0,
    created_at: nowMs,
    updated_at: nowMs,
  };
}

/** A job from its row. */
export function toJob(row: Selectable<Schema['job']>): Job {
  return {
    id: row.id,
    executionId: row.execution_id ?? undefined,
    kind: row.kind,
    payload: toObject(row.payload),
    status: row.status as JobStatus,
    statusMessage: row.status_message,
    attributes: toObject(row.attributes),
    progress: row.progress,
    runCount: row.run_count,
    createdAtMs: row.created_at,
    startedAtMs: row.started_at ?? undefined,
    endedAtMs: row.ended_at ?? undefined,
    updatedAtMs: row.updated_at,
  };
}

/** A schedule from its row. */
export function toSchedule(row: Selectable<Schema['job_schedule']>): Schedule {
  return {
    id: row.id,
    vendorType: row.vendor_type,
    vendorId: row.vendor_id,
    cronType: row.cron_type as CronType,
    cron: row.cron,
    attributes: toObject(row.attributes),
    nextRunAtMs: row.next_run_at,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
  };
}

/** Executions from their rows, with the states of their tasks. */
export async function toExecutions(
  db: Executor,
  rows: readonly Selectable<Schema['job_execution']>[],
): Promise<readonly Execution[]> {
  const counts = await countTasks(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    id: row.id,
    vendorType: row.vendor_type,
    vendorId: row.vendor_id,
    trigger: row.trigger_kind as JobTrigger,
    status: row.status as JobStatus,
    statusMessage: row.status_message,
    attributes: toObject(row.attributes),
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at ?? undefined,
    updatedAtMs: row.updated_at,
    tasks: counts.get(row.id) ?? NO_TASKS,
  }));
}

const NO_TASKS: Execution['tasks'] = { total: 0, Pending: 0, Running: 0, Success: 0, Error: 0, Stopped: 0 };

async function countTasks(db: Executor, ids: readonly number[]): Promise<ReadonlyMap<number, Execution['tasks']>> {
  const counts = new Map<number, Execution['tasks']>();
  if (ids.length === 0) return counts;
  const rows = await db
    .selectFrom('job')
    .select((column) => ['execution_id', 'status', column.fn.countAll<number>().as('count')])
    .where('execution_id', 'in', ids)
    .groupBy(['execution_id', 'status'])
    .execute();
  for (const { execution_id: id, status, count } of rows) {
    const soFar = counts.get(id ?? 0) ?? NO_TASKS;
    counts.set(id ?? 0, { ...soFar, [status]: count, total: soFar.total + count });
  }
  return counts;
}

function toObject(json: string): JsonObject {
  return JSON.parse(json) as JsonObject;
}
