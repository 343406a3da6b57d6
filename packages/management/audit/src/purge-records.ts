import { type Database, type Expression, type SqlBool, sql } from '@vic/sql';
import { chainHash } from './audit-record.ts';

/** Which records are purged. */
export interface PurgeSelection {
  /** Those before this time… */
  readonly beforeMs?: number;
  /** …of these types, such as `pull_artifact`; of all when absent. */
  readonly eventTypes?: readonly string[];
  /** Never those after this place: they have yet to be forwarded. */
  readonly upToPosition?: number;
}

const BATCH = 500;

/** How many records a purge would remove. */
export async function countPurgeable({ db }: Pick<Database, 'db'>, selection: PurgeSelection): Promise<number> {
  const row = await db
    .selectFrom('audit_record')
    .select((column) => column.fn.countAll<number>().as('count'))
    .where(selected(selection))
    .executeTakeFirst();
  return row?.count ?? 0;
}

/**
 * Removes records, leaving the digest of each in its place for the chain; says how many.
 *
 * Where everything up to a place has gone, the chain begins there and the digests go too.
 */
export async function purgeRecords(
  database: Database,
  selection: PurgeSelection,
  signal?: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (;;) {
    signal?.throwIfAborted();
    const batch = await purgeBatch(database, selection);
    removed += batch;
    if (batch < BATCH) break;
  }
  while ((await shortenChain(database)) === BATCH) signal?.throwIfAborted();
  return removed;
}

async function purgeBatch(database: Database, selection: PurgeSelection): Promise<number> {
  return database.transaction(async (transaction) => {
    const rows = await transaction
      .selectFrom('audit_record')
      .select(['id', 'position', 'digest'])
      .where(selected(selection))
      .orderBy('position')
      .limit(BATCH)
      .execute();
    if (rows.length === 0) return 0;
    const purged = rows.map(({ position, digest }) => ({ position: position ?? 0, digest }));
    await transaction.insertInto('audit_purged').values(purged).execute();
    const ids = rows.map(({ id }) => id);
    await transaction.deleteFrom('audit_record').where('id', 'in', ids).execute();
    return rows.length;
  });
}

/** Moves the beginning of the chain past what was purged from its front; says by how many places. */
async function shortenChain(database: Database): Promise<number> {
  return database.transaction(async (transaction) => {
    const chain = await transaction.selectFrom('audit_chain').selectAll().executeTakeFirstOrThrow();
    const purged = await transaction
      .selectFrom('audit_purged')
      .selectAll()
      .where('position', '>', chain.first_position)
      .where('position', '<=', chain.first_position + BATCH)
      .orderBy('position')
      .execute();
    let { first_position: position, first_hash: hash } = chain;
    for (const next of purged) {
      if (next.position !== position + 1) break;
      position = next.position;
      hash = chainHash(position, hash, next.digest);
    }
    const places = position - chain.first_position;
    if (places === 0) return 0;
    await transaction
      .updateTable('audit_chain')
      .set({ first_position: position, first_hash: hash })
      .where('id', '=', 1)
      .execute();
    await transaction.deleteFrom('audit_purged').where('position', '<=', position).execute();
    return places;
  });
}

function selected({ beforeMs, eventTypes, upToPosition }: PurgeSelection): Expression<SqlBool> {
  const conditions = [
    // Only what has its place can leave a digest in it.
    sql<SqlBool>`position is not null`,
    ...(beforeMs === undefined ? [] : [sql<SqlBool>`occurred_at < ${beforeMs}`]),
    ...(upToPosition === undefined ? [] : [sql<SqlBool>`position <= ${upToPosition}`]),
    ...(eventTypes === undefined ? [] : [typeIsOneOf(eventTypes)]),
  ];
  return sql<SqlBool>`(${sql.join(conditions, sql` and `)})`;
}

function typeIsOneOf(eventTypes: readonly string[]): Expression<SqlBool> {
  if (eventTypes.length === 0) return sql<SqlBool>`1 = 0`;
  return sql<SqlBool>`lower(operation || '_' || resource_type) in (${sql.join(eventTypes)})`;
}
