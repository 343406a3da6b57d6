import { type Database, sql } from '@vic/sql';
import { usedBytes } from './used-bytes.ts';

/** Longer than any request goes on after it was admitted; those that failed stop counting then. */
const LIFETIME_MS = 5 * 60_000;

/** After so many reservations of its own a process removes those that are over: each costs the next ones a little. */
const SWEEP_INTERVAL = 32;

/** Storage that an admitted request will take. */
export interface QuotaReservation {
  readonly id: number;
  readonly projectId: number;
  readonly digest: string;
}

/**
 * What admitted requests are about to add to projects, seen by every process.
 *
 * Rows are only added: requests do not wait for each other. A reservation is settled by itself once the project
 * has its content, because it is in the project's use from then on.
 */
export class QuotaReservations {
  readonly #database: Database;
  readonly #now: () => number;
  #unswept = 0;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  async reserve(projectId: number, digest: string, sizeBytes: number): Promise<QuotaReservation> {
    await this.#sweep();
    const { id } = await this.#database.db
      .insertInto('quota_reservations')
      .values({ project_id: projectId, digest, size_bytes: sizeBytes, expires_at_ms: this.#now() + LIFETIME_MS })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { id, projectId, digest };
  }

  /**
   * What the project stores and, on top, the bytes of unsettled reservations made before this one, each content once.
   *
   * One statement, so that what is settled meanwhile counts exactly once.
   */
  async usedBefore({ id, projectId, digest }: QuotaReservation): Promise<number> {
    const pending = this.#database.db
      .selectFrom('quota_reservations as r')
      .select((e) => ['r.digest', e.fn.max('r.size_bytes').as('size_bytes')])
      .where('r.project_id', '=', projectId)
      .where('r.id', '<', id)
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
    const { bytes } = await this.#database.db
      .selectFrom(pending)
      .select(
        sql<number>`cast(coalesce(sum(pending.size_bytes), 0) as bigint) + ${usedBytes(sql`${projectId}`)}`.as('bytes'),
      )
      .executeTakeFirstOrThrow();
    return bytes;
  }

  async release({ id }: QuotaReservation): Promise<void> {
    await this.#database.db.deleteFrom('quota_reservations').where('id', '=', id).execute();
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
