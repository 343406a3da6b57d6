import { type Database, type Executor, type Schema, type Selectable, sql } from '@vic/sql';
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
  /** What became of the place that was kept elsewhere; absent when none was given. */
  readonly anchor?: AnchorVerdict;
  /** The end of the chain, to be compared with one kept elsewhere: in a syslog server's records. */
  readonly lastPosition: number;
  readonly lastHash: string;
}

/** A place of the chain with its hash, kept where nobody who can change the database can change it. */
export interface ChainAnchor {
  readonly position: number;
  readonly hash: string;
}

/**
 * Whether the chain still goes through an anchor: `held`; `changed` when it has another hash there or no certain
 * one; `cut off` when it ends before; `purged` when it begins behind it, so that nothing is certain.
 */
export type AnchorVerdict = 'held' | 'changed' | 'cut off' | 'purged';

/** One thing wrong with the chain. */
export interface ChainProblem {
  readonly position: number;
  readonly problem: 'missing' | 'changed';
}

const BATCH = 1000;
const MAX_PROBLEMS = 100;

/**
 * Checks that no record was changed, removed or put in since it was chained, except by a purge.
 *
 * Who can write the database can also shorten the whole chain: only an anchor shows that.
 */
export async function verifyChain(
  { db }: Pick<Database, 'db'>,
  options: { readonly signal?: AbortSignal; readonly anchor?: ChainAnchor } = {},
): Promise<ChainReport> {
  for (;;) {
    const chain = await readChain(db);
    const report = await walkChain(db, chain, options);
    // A purge that shortened the chain meanwhile took away what was looked for.
    if (report.intact || (await readChain(db)).first_position === chain.first_position) return report;
  }
}

type Chain = Selectable<Schema['audit_chain']>;

async function readChain(db: Executor): Promise<Chain> {
  return db.selectFrom('audit_chain').selectAll().executeTakeFirstOrThrow();
}

async function walkChain(
  db: Executor,
  chain: Chain,
  { signal, anchor }: { readonly signal?: AbortSignal; readonly anchor?: ChainAnchor },
): Promise<ChainReport> {
  const walk = new ChainWalk(chain.first_hash);
  let atAnchor = anchor?.position === chain.first_position ? chain.first_hash : undefined;
  for (let after = chain.first_position; after < chain.last_position;) {
    signal?.throwIfAborted();
    const upTo = Math.min(after + BATCH, chain.last_position);
    // In this order, what is purged in between is seen twice and not never.
    const records = await rowsBetween(db, 'audit_record', { after, upTo });
    const purged = await rowsBetween(db, 'audit_purged', { after, upTo });
    const recordAt = new Map(records.map((record) => [record.position, record]));
    const purgedAt = new Map(purged.map(({ position, digest }) => [position, digest]));
    for (let position = after + 1; position <= upTo; position++) {
      walk.step(position, recordAt.get(position), purgedAt.get(position));
      if (position === anchor?.position) atAnchor = walk.hash;
    }
    after = upTo;
  }
  walk.finish(chain.last_position, chain.last_hash);
  const end = { lastPosition: chain.last_position, lastHash: chain.last_hash };
  const report = walk.report();
  if (anchor === undefined) return { ...report, ...end };
  const verdict = judgeAnchor(anchor, chain, atAnchor);
  return { ...report, intact: report.intact && verdict === 'held', anchor: verdict, ...end };
}

function judgeAnchor(anchor: ChainAnchor, chain: Chain, hash: string | undefined): AnchorVerdict {
  if (anchor.position > chain.last_position) return 'cut off';
  if (anchor.position < chain.first_position) return 'purged';
  return hash === anchor.hash ? 'held' : 'changed';
}

async function rowsBetween<T extends 'audit_record' | 'audit_purged'>(
  db: Executor,
  table: T,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): Promise<readonly Selectable<Schema[T]>[]> {
  const { rows } = await sql<Selectable<Schema[T]>>`
    select * from ${sql.table(table)} where position > ${after} and position <= ${upTo}
  `.execute(db);
  return rows;
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

  get hash(): string | undefined {
    return this.#hash;
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

  report(): Omit<ChainReport, 'anchor' | 'lastPosition' | 'lastHash'> {
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
