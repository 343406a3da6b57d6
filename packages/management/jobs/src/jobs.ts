import { VicError } from '@vic/errors';
import {
  type Database,
  type Executor,
  type Insertable,
  type ListMapping,
  type ListPage,
  type ListRequest,
  type Schema,
  fetchPage,
} from '@vic/sql';
import type { Execution, Job, JsonObject, NewExecution, NewJob } from './job-model.ts';
import { toExecutions, toJob, toJobRow } from './job-rows.ts';

/** Which executions a list is of. */
export interface ExecutionOwner {
  readonly vendorType: string;
  readonly vendorId?: number;
}

/** Tasks are inserted in portions, below the databases' limit of parameters. */
const INSERT_BATCH = 200;

const EXECUTION_FIELDS: ListMapping = {
  columns: {
    id: { column: 'job_execution.id', type: 'number' },
    status: { column: 'job_execution.status', type: 'text' },
    trigger: { column: 'job_execution.trigger_kind', type: 'text' },
    start_time: { column: 'job_execution.started_at', type: 'time' },
    end_time: { column: 'job_execution.ended_at', type: 'time' },
    creation_time: { column: 'job_execution.started_at', type: 'time' },
    update_time: { column: 'job_execution.updated_at', type: 'time' },
  },
  defaultSort: ['-id'],
};

const TASK_FIELDS: ListMapping = {
  columns: {
    id: { column: 'job.id', type: 'number' },
    status: { column: 'job.status', type: 'text' },
    creation_time: { column: 'job.created_at', type: 'time' },
    start_time: { column: 'job.started_at', type: 'time' },
    end_time: { column: 'job.ended_at', type: 'time' },
    update_time: { column: 'job.updated_at', type: 'time' },
  },
  defaultSort: ['-id'],
};

/** The durable queue: what is to be done, what is being done, what was done. {@link JobRunner} does it. */
export class Jobs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a job that belongs to no execution; throws `Conflict` (`JOB_ACTIVE`) while its active key is taken. */
  async enqueue(job: NewJob, transaction?: Executor): Promise<number> {
    const row = toJobRow(job, null, Date.now());
    const ids = await this.#in(transaction, async (db) => insertJobs(db, [row]));
    return ids[0] ?? 0;
  }

  /** Begins an execution with its tasks; throws `Conflict` (`JOB_ACTIVE`) while an active key is taken. */
  async startExecution(execution: NewExecution, transaction?: Executor): Promise<number> {
    return this.#in(transaction, async (db) => {
      const now = Date.now();
      const { id } = await db
        .insertInto('job_execution')
        .values({
          vendor_type: execution.vendorType,
          vendor_id: execution.vendorId,
          trigger_kind: execution.trigger,
          status: 'Running',
          status_message: execution.statusMessage ?? '',
          attributes: JSON.stringify(execution.attributes ?? {}),
          started_at: now,
          updated_at: now,
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      await insertJobs(
        db,
        execution.tasks.map((task) => toJobRow(task, id, now)),
      );
      return id;
    });
  }

  /** Adds tasks to an execution that has not ended: from one of its tasks, or in the transaction that began it. */
  async addTasks(executionId: number, tasks: readonly NewJob[], transaction?: Executor): Promise<readonly number[]> {
    return this.#in(transaction, async (db) => {
      const execution = await db
        .selectFrom('job_execution')
        .select('status')
        .where('id', '=', executionId)
        .executeTakeFirst();
      if (execution?.status !== 'Running') throw executionEnded(executionId);
      const now = Date.now();
      return insertJobs(
        db,
        tasks.map((task) => toJobRow(task, executionId, now)),
      );
    });
  }

  /** Changes attributes of an execution; the others stay. */
  async setExecutionAttributes(id: number, attributes: JsonObject, transaction?: Executor): Promise<void> {
    await this.#in(transaction, async (db) => {
      const { attributes: current } = await db
        .selectFrom('job_execution')
        .select('attributes')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const merged = { ...(JSON.parse(current) as JsonObject), ...attributes };
      await db
        .updateTable('job_execution')
        .set({ attributes: JSON.stringify(merged), updated_at: Date.now() })
        .where('id', '=', id)
        .execute();
    });
  }

  /** Stops an execution: tasks that wait are not run, those that run are told to end. Nothing if it has ended. */
  async stopExecution(id: number): Promise<void> {
    await this.#database.transaction(async (db) => stopJobs(db, { execution_id: id }));
  }

  /** Stops one job, a task or not. */
  async stopJob(id: number): Promise<void> {
    await this.#database.transaction(async (db) => stopJobs(db, { id }));
  }

  /** An execution, if there is one with that id (and owner). */
  async findExecution(id: number, owner?: ExecutionOwner): Promise<Execution | undefined> {
    const query = this.#executions(owner).where('job_execution.id', '=', id);
    return (await toExecutions(this.#database.db, await query.execute()))[0];
  }

  /** Executions of an owner, the latest first. */
  async listExecutions(owner: ExecutionOwner, request: ListRequest): Promise<ListPage<Execution>> {
    const page = await fetchPage(this.#database.db, this.#executions(owner), request, EXECUTION_FIELDS);
    return { items: await toExecutions(this.#database.db, page.items), total: page.total };
  }

  /** The tasks of an execution, the latest first; only of one kind when one is named. */
  async listTasks(executionId: number, request: ListRequest, kind?: string): Promise<ListPage<Job>> {
    let query = this.#database.db.selectFrom('job').selectAll().where('execution_id', '=', executionId);
    if (kind !== undefined) query = query.where('kind', '=', kind);
    const page = await fetchPage(this.#database.db, query, request, TASK_FIELDS);
    return { items: page.items.map(toJob), total: page.total };
  }

  /** A job, if there is one with that id (and in that execution). */
  async findJob(id: number, executionId?: number): Promise<Job | undefined> {
    let query = this.#database.db.selectFrom('job').selectAll().where('id', '=', id);
    if (executionId !== undefined) query = query.where('execution_id', '=', executionId);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : toJob(row);
  }

  /** The log of a job as text, a line each: time, level, message. */
  async readLog(jobId: number): Promise<string> {
    const rows = await this.#database.db
      .selectFrom('job_log')
      .select(['at', 'level', 'message'])
      .where('job_id', '=', jobId)
      .orderBy('id')
      .execute();
    return rows.map(({ at, level, message }) => `${new Date(at).toISOString()} [${level}] ${message}\n`).join('');
  }

  /** Deletes what is known of executions of an owner that is gone, stopping what still runs. */
  async removeExecutions(owner: ExecutionOwner, transaction?: Executor): Promise<void> {
    await this.#in(transaction, async (db) => {
      const { vendorType, vendorId } = owner;
      const owned = db.deleteFrom('job_execution').where('vendor_type', '=', vendorType);
      await (vendorId === undefined ? owned : owned.where('vendor_id', '=', vendorId)).execute();
    });
  }

  #executions(owner?: ExecutionOwner) {
    let query = this.#database.db.selectFrom('job_execution').selectAll();
    if (owner !== undefined) query = query.where('vendor_type', '=', owner.vendorType);
    return owner?.vendorId === undefined ? query : query.where('vendor_id', '=', owner.vendorId);
  }

  async #in<T>(transaction: Executor | undefined, body: (db: Executor) => Promise<T>): Promise<T> {
    return transaction === undefined ? this.#database.transaction(body) : body(transaction);
  }
}

async function insertJobs(db: Executor, rows: readonly Insertable<Schema['job']>[]): Promise<readonly number[]> {
  const ids: number[] = [];
  for (let start = 0; start < rows.length; start += INSERT_BATCH) {
    const batch = rows.slice(start, start + INSERT_BATCH);
    const inserted = await db
      .insertInto('job')
      .values(batch)
      .onConflict((conflict) => conflict.column('active_key').doNothing())
      .returning('id')
      .execute();
    if (inserted.length < batch.length) throw alreadyActive();
    ids.push(...inserted.map(({ id }) => id));
  }
  return ids;
}

async function stopJobs(db: Executor, which: { id: number } | { execution_id: number }): Promise<void> {
  const now = Date.now();
  const selected = db.updateTable('job').where((column) => column.and(which));
  await selected
    .where('status', '=', 'Pending')
    .set({ status: 'Stopped', active_key: null, ended_at: now, updated_at: now })
    .execute();
  await selected.where('status', '=', 'Running').set({ stop_requested: 1, updated_at: now }).execute();
}

function alreadyActive(): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'JOB_ACTIVE',
    message: 'The same is already waiting to be done, or being done.',
    remedy: 'Wait for it to end, or stop it.',
  });
}

function executionEnded(id: number): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'JOB_EXECUTION_ENDED',
    message: `Execution ${id} has ended; nothing can be added to it.`,
  });
}
