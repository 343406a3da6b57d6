import type { Database } from '@vic/sql';
import { SCHEDULER } from './schedules.ts';

/** A process that runs jobs. */
export interface JobPool {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly concurrency: number;
  readonly startedAtMs: number;
  readonly heartbeatAtMs: number;
}

/** A job that runs, and where. */
export interface JobWorker {
  readonly poolId: string;
  readonly kind: string;
  readonly jobId: number;
  readonly startedAtMs: number;
}

/** The jobs of a kind that wait. */
export interface JobQueue {
  readonly kind: string;
  readonly count: number;
  /** How long the first of them has been due. */
  readonly latencyMs: number;
  readonly paused: boolean;
}

/** What an operator sees of the queues, and does with them. */
export class JobMonitor {
  readonly #database: Database;
  readonly #kinds: readonly string[];

  /** `kinds` are those this program runs; queues of others show while jobs wait in them. */
  constructor(database: Database, kinds: readonly string[]) {
    this.#database = database;
    this.#kinds = kinds;
  }

  /** The processes that run jobs. */
  async pools(): Promise<readonly JobPool[]> {
    const rows = await this.#database.db.selectFrom('job_pool').selectAll().orderBy('started_at').execute();
    return rows.map((row) => ({
      id: row.id,
      pid: row.pid,
      host: row.host,
      concurrency: row.concurrency,
      startedAtMs: row.started_at,
      heartbeatAtMs: row.heartbeat_at,
    }));
  }

  /** The jobs that run, in one pool or in all. */
  async workers(poolId?: string): Promise<readonly JobWorker[]> {
    let query = this.#database.db
      .selectFrom('job')
      .select(['id', 'kind', 'lease_owner', 'started_at'])
      .where('status', '=', 'Running');
    if (poolId !== undefined) query = query.where('lease_owner', '=', poolId);
    const rows = await query.orderBy('id').execute();
    return rows.map((row) => ({
      poolId: row.lease_owner ?? '',
      kind: row.kind,
      jobId: row.id,
      startedAtMs: row.started_at ?? 0,
    }));
  }

  /** The queues, the schedules among them. */
  async queues(): Promise<readonly JobQueue[]> {
    const now = Date.now();
    const waiting = await this.#database.db
      .selectFrom('job')
      .select((column) => ['kind', column.fn.countAll<number>().as('count'), column.fn.min('run_at').as('first')])
      .where('status', '=', 'Pending')
      .groupBy('kind')
      .execute();
    const paused = new Set(
      (await this.#database.db.selectFrom('job_pause').select('kind').execute()).map(({ kind }) => kind),
    );
    const byKind = new Map(waiting.map((row) => [row.kind, row]));
    return this.#queueNames([...byKind.keys()]).map((kind) => ({
      kind,
      count: byKind.get(kind)?.count ?? 0,
      latencyMs: Math.max(0, now - (byKind.get(kind)?.first ?? now)),
      paused: paused.has(kind),
    }));
  }

  /** Lets no more jobs of a kind begin, or with `all` of any kind; those that run go on. */
  async pause(kind: string): Promise<void> {
    for (const name of await this.#selected(kind)) {
      await this.#database.db
        .insertInto('job_pause')
        .values({ kind: name, paused_at: Date.now() })
        .onConflict((conflict) => conflict.column('kind').doNothing())
        .execute();
    }
  }

  /** Lets jobs of a kind begin again, or with `all` of any kind. */
  async resume(kind: string): Promise<void> {
    const names = await this.#selected(kind);
    await this.#database.transaction(async (transaction) => {
      await transaction.deleteFrom('job_pause').where('kind', 'in', names).execute();
    });
  }

  /** Stops the jobs of a kind, or with `all` of any kind, that wait. */
  async stopPending(kind: string): Promise<void> {
    const names = await this.#selected(kind);
    const now = Date.now();
    await this.#database.transaction(async (transaction) => {
      await transaction
        .updateTable('job')
        .set({ status: 'Stopped', active_key: null, ended_at: now, updated_at: now })
        .where('status', '=', 'Pending')
        .where('kind', 'in', names)
        .execute();
    });
  }

  async #selected(kind: string): Promise<readonly string[]> {
    const names = (await this.queues()).map((queue) => queue.kind);
    return kind === 'all' ? names : names.filter((name) => name === kind);
  }

  #queueNames(waiting: readonly string[]): readonly string[] {
    return [...new Set([...this.#kinds, ...waiting, SCHEDULER])].toSorted();
  }
}
