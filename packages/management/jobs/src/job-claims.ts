import { VicError } from '@vic/errors';
import {
  type Database,
  type Executor,
  type Schema,
  type Selectable,
  type SqlBool,
  type Updateable,
  skipLocked,
  sql,
} from '@vic/sql';

/** A run that is taken over so often from processes that died is what kills them. */
const MAX_TAKEOVERS = 5;

/** One process's claims to jobs: taken for a time, prolonged, given back. */
export class JobClaims {
  readonly #database: Database;
  readonly #owner: string;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly owner: string; readonly leaseMs: number }) {
    this.#database = database;
    this.#owner = options.owner;
    this.#leaseMs = options.leaseMs;
  }

  /** Claims the next job of these kinds that is due, or whose process has died; none of those that run here. */
  async claim(kinds: readonly string[], running: readonly number[]): Promise<Selectable<Schema['job']> | undefined> {
    if (kinds.length === 0) return undefined;
    const now = Date.now();
    // Looking first spares the writer a lock for nothing.
    const due = this.#due(this.#database.db, kinds, { now, running });
    if ((await due.executeTakeFirst()) === undefined) return undefined;
    const chosen = skipLocked(this.#database, due);
    return this.#database.db
      .updateTable('job')
      .set((column) => ({
        status: 'Running',
        lease_owner: this.#owner,
        lease_until: now + this.#leaseMs,
        run_count: column('run_count', '+', 1),
        started_at: sql<number>`coalesce(started_at, ${now})`,
        updated_at: now,
      }))
      .where('id', '=', chosen)
      .returningAll()
      .executeTakeFirst();
  }

  /** Prolongs the claims to these jobs; gives those that are still ours, and whether they are to stop. */
  async prolong(ids: readonly number[]): Promise<ReadonlyMap<number, { readonly stop: boolean }>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#database.db
      .updateTable('job')
      .set({ lease_until: Date.now() + this.#leaseMs })
      .where('id', 'in', ids)
      .where('lease_owner', '=', this.#owner)
      .returning(['id', 'stop_requested'])
      .execute();
    return new Map(rows.map(({ id, stop_requested: stop }) => [id, { stop: stop === 1 }]));
  }

  /** Our jobs that are to stop. */
  async stopping(): Promise<readonly number[]> {
    const rows = await this.#database.db
      .selectFrom('job')
      .select('id')
      .where('status', '=', 'Running')
      .where('lease_owner', '=', this.#owner)
      .where('stop_requested', '=', 1)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Ends a job for good. */
  async end(id: number, status: 'Success' | 'Error' | 'Stopped', message?: string): Promise<void> {
    const now = Date.now();
    await this.#update(id, {
      status,
      active_key: null,
      ended_at: now,
      updated_at: now,
      ...(message === undefined ? {} : { status_message: message }),
      ...(status === 'Success' ? { progress: 100 } : {}),
    });
  }

  /** Gives a job back that was not finished, for any process to take. */
  async release(id: number, runCount: number): Promise<void> {
    await this.#update(id, { status: 'Pending', run_count: runCount, updated_at: Date.now() });
  }

  /** Puts a job that has failed back, to be run again at a time. */
  async putBack(
    id: number,
    at: { readonly runAtMs: number; readonly failures: number; readonly message: string },
  ): Promise<void> {
    await this.#update(id, {
      status: 'Pending',
      status_message: at.message,
      failures: at.failures,
      run_at: at.runAtMs,
      updated_at: Date.now(),
    });
  }

  /** Ends the jobs whose processes died again and again. */
  async giveUp(): Promise<void> {
    const now = Date.now();
    await this.#database.db
      .updateTable('job')
      .set({
        status: 'Error',
        status_message: `Given up: the process that ran it ended, ${MAX_TAKEOVERS} times.`,
        active_key: null,
        ended_at: now,
        updated_at: now,
      })
      .where('status', '=', 'Running')
      .where('lease_until', '<', now)
      .where(takenOverTooOften)
      .execute();
  }

  /** A claim that was not prolonged in time, by a machine that slept, is still ours while the job runs here. */
  #due(db: Executor, kinds: readonly string[], { now, running }: { now: number; running: readonly number[] }) {
    return db
      .selectFrom('job')
      .select('id')
      .where('kind', 'in', kinds)
      .where((column) =>
        column.or([
          column.and([column('status', '=', 'Pending'), column('run_at', '<=', now)]),
          column.and([
            column('status', '=', 'Running'),
            column('lease_until', '<', now),
            ...(running.length === 0 ? [] : [column('id', 'not in', running)]),
            column.not(takenOverTooOften()),
          ]),
        ]),
      )
      .orderBy('priority', 'desc')
      .orderBy('run_at')
      .orderBy('id')
      .limit(1);
  }

  async #update(id: number, values: Updateable<Schema['job']>): Promise<void> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('job')
      .set({ ...values, lease_owner: null, lease_until: 0 })
      .where('id', '=', id)
      .where('lease_owner', '=', this.#owner)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw claimLost(id);
  }
}

function takenOverTooOften() {
  return sql<SqlBool>`run_count - failures > ${sql.lit(MAX_TAKEOVERS)}`;
}

/** The error of a run whose job another process has. */
export function claimLost(id: number): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'JOB_CLAIM_LOST',
    message: `Job ${id} was removed, or another process has taken it over.`,
  });
}
