import { type Database, type Executor, sql } from '@vic/sql';
import { usedBytes } from './used-bytes.ts';

/** Longer than any request goes on after it was admitted; those that failed stop counting then. */
const LIFETIME_MS = 5 * 60_000;

/** After so many reservations of its own a process removes those that are over: each costs the next ones a little. */
const SWEEP_INTERVAL = 32;

/** Storage that an admitted request will take. */
export interface QuotaReservation {
  readonly projectId: number;
  readonly digest: string;
  readonly addedBytes: number;
  readonly limitBytes: number;
}

/**
 * What admitted requests are about to add to projects, seen by every process.
 *
 * Each sees all that were made before it: near its limit, the requests of a project come one after the other for as
 * long as a reservation takes. It is settled by itself once the project has its content, because it is in the project's
 * use from then on.
 */
export class QuotaReservations {
  readonly #database: Database;
  readonly #now: () => number;
  #unswept = 0;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** Makes a reservation when there is room for it; gives what is used and reserved without it. */
  async reserve(wanted: QuotaReservation): Promise<number> {
    await this.#sweep();
    return this.#database.transaction(async (transaction) => {
      await lockQuota(transaction, wanted.projectId);
      const used = await this.#usedWithout(transaction, wanted);
      if (used + wanted.addedBytes > wanted.limitBytes) return used;
      await transaction
        .insertInto('quota_reservations')
        .values({
          project_id: wanted.projectId,
          digest: wanted.digest,
          size_bytes: wanted.addedBytes,
          expires_at_ms: this.#now() + LIFETIME_MS,
        })
        .execute();
      return used;
    });
  }

  /**
   * What the project stores and, on top, the bytes of unsettled reservations of other content, each content once.
   *
   * One statement, so that what is settled meanwhile counts exactly once.
   */
  async #usedWithout(transaction: Executor, { projectId, digest }: QuotaReservation): Promise<number> {
    const pending = transaction
      .selectFrom('quota_reservations as r')
      .select((e) => ['r.digest', e.fn.max('r.size_bytes').as('size_bytes')])
      .where('r.project_id', '=', projectId)
      .where('r.digest', '!=', digest)
      .where('r.expires_at_ms', '>', this.#now())
      .where((e) =>
        e.not(
          e.exists(
            e
              .selectFrom('project_content as c')
              .select('c.digest')
              .whereRef('c.project_id', '=', 'r.project_id')
              .whereRef('c.digest', '=', 'r.digest'),
          ),
        ),
      )
      .groupBy('r.digest')
      .as('pending');
    const { bytes } = await transaction
      .selectFrom(pending)
      .select(
        sql<number>`cast(coalesce(sum(pending.size_bytes), 0) as bigint) + ${usedBytes(sql`${projectId}`)}`.as('bytes'),
      )
      .executeTakeFirstOrThrow();
    return bytes;
  }

  async #sweep(): Promise<void> {
    this.#unswept += 1;
    if (this.#unswept < SWEEP_INTERVAL) return;
    this.#unswept = 0;
    const now = this.#now();
    await this.#database.db
      .deleteFrom('quota_reservations')
      .where((e) =>
        e.or([
          e('expires_at_ms', '<=', now),
          e.exists(
            e
              .selectFrom('project_content as c')
              .select('c.digest')
              .whereRef('c.project_id', '=', 'quota_reservations.project_id')
              .whereRef('c.digest', '=', 'quota_reservations.digest'),
          ),
        ]),
      )
      .execute();
  }
}

/** Until the transaction ends, others of the project wait here: what they then read is committed. */
async function lockQuota(transaction: Executor, projectId: number): Promise<void> {
  await transaction
    .updateTable('quotas')
    .set((e) => ({ updated_at_ms: e.ref('updated_at_ms') }))
    .where('project_id', '=', projectId)
    .execute();
}
