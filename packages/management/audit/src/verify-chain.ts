import type { Database, Schema, Selectable } from '@vic/sql';
import { chainHash, digestOf } from './audit-record.ts';

/** What a check of the chain found. */
export interface ChainReport {
  readonly intact: boolean;
  /** Records that were looked at. */
  readonly checked: number;
  /** Records within the chain that were purged. */
  readonly purged: number;
  /** The first of what is wrong. */
  readonly problems: readonly ChainProblem[];
  /** The end of the chain, to be compared with one kept elsewhere: in a syslog server's records. */
  readonly lastPosition: number;
  readonly lastHash: string;
}

/** One thing wrong with the chain. */
export interface ChainProblem {
  readonly position: number;
  readonly problem: 'missing' | 'changed';
}

const BATCH = 1000;
const MAX_PROBLEMS = 100;

/** Checks that no record was changed, removed or put in since it was chained, except by a purge. */
export async function verifyChain({ db }: Pick<Database, 'db'>, signal?: AbortSignal): Promise<ChainReport> {
  const chain = await db.selectFrom('audit_chain').selectAll().executeTakeFirstOrThrow();
  const walk = new ChainWalk(chain.first_hash);
  for (let after = chain.first_position; after < chain.last_position;) {
    signal?.throwIfAborted();
    const upTo = Math.min(after + BATCH, chain.last_position);
    const within = { from: after + 1, upTo };
    const [records, purged] = await Promise.all([
      db
        .selectFrom('audit_record')
        .selectAll()
        .where('position', '>=', within.from)
        .where('position', '<=', within.upTo)
        .execute(),
      db
        .selectFrom('audit_purged')
        .selectAll()
        .where('position', '>=', within.from)
        .where('position', '<=', within.upTo)
        .execute(),
    ]);
    const recordAt = new Map(records.map((record) => [record.position, record]));
    const purgedAt = new Map(purged.map(({ position, digest }) => [position, digest]));
    for (let position = within.from; position <= upTo; position++) {
      walk.step(position, recordAt.get(position), purgedAt.get(position));
    }
    after = upTo;
  }
  walk.finish(chain.last_position, chain.last_hash);
  return { ...walk.report(), lastPosition: chain.last_position, lastHash: chain.last_hash };
}

class ChainWalk {
  readonly #problems: ChainProblem[] = [];
  #checked = 0;
  #purged = 0;
  /** The hash at the last place, if it is certain; after a missing record it is what the next one claims. */
  #hash: string | undefined;

  constructor(hash: string) {
    this.#hash = hash;
  }

  step(position: number, record: Selectable<Schema['audit_record']> | undefined, purged: string | undefined): void {
    if (record !== undefined) this.#record(position, record);
    else if (purged !== undefined) this.#skipPurged(position, purged);
    else {
      this.#problem(position, 'missing');
      this.#hash = undefined;
    }
  }

  finish(lastPosition: number, lastHash: string): void {
    if (this.#hash !== undefined && this.#hash !== lastHash) this.#problem(lastPosition, 'changed');
  }

  report(): Omit<ChainReport, 'lastPosition' | 'lastHash'> {
    const problems = this.#problems;
    return { intact: problems.length === 0, checked: this.#checked, purged: this.#purged, problems };
  }

  #record(position: number, record: Selectable<Schema['audit_record']>): void {
    this.#checked++;
    const digest = digestOf(record);
    const expected = this.#hash === undefined ? record.hash : chainHash(position, this.#hash, digest);
    if (digest !== record.digest || expected !== record.hash) this.#problem(position, 'changed');
    this.#hash = record.hash ?? undefined;
  }

  #skipPurged(position: number, digest: string): void {
    this.#purged++;
    if (this.#hash !== undefined) this.#hash = chainHash(position, this.#hash, digest);
  }

  #problem(position: number, problem: ChainProblem['problem']): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ position, problem });
  }
}
