import { type QueryExecutorProvider, sql } from 'kysely';
import type { Database } from '../database.ts';

type Row = Readonly<Record<string, unknown>>;

const SQLITE_BATCH_ROWS = 200;
/** 256 KiB of pages, and what lies outside of them. */
const POSTGRES_BATCH_PAGES = 32;
/** Its rows are numbered; the name is none of a column. */
const ROW = 'rowid_of_row';

/** All rows of a table, batch by batch, in the order the database keeps them, as this transaction sees them. */
export function tableRows(
  dialect: Database['dialect'],
  db: QueryExecutorProvider,
  table: string,
): AsyncGenerator<readonly Row[], void, undefined> {
  return dialect === 'sqlite' ? sqliteRows(db, table) : postgresRows(db, table);
}

async function* sqliteRows(db: QueryExecutorProvider, table: string): AsyncGenerator<readonly Row[], void, undefined> {
  let after: unknown;
  do {
    const { rows } = await sql<Row>`
      select rowid as ${sql.ref(ROW)}, * from ${sql.table(table)}
      ${after === undefined ? sql`` : sql`where rowid > ${after}`} order by rowid limit ${SQLITE_BATCH_ROWS}
    `.execute(db);
    after = rows.at(-1)?.[ROW];
    if (rows.length > 0) yield rows.map(({ [ROW]: _row, ...columns }) => columns);
  } while (after !== undefined);
}

async function* postgresRows(
  db: QueryExecutorProvider,
  table: string,
): AsyncGenerator<readonly Row[], void, undefined> {
  const { rows: sizes } = await sql<{ pages: number }>`
    select pg_relation_size(${table}::regclass) / current_setting('block_size')::bigint as pages
  `.execute(db);
  const pages = sizes[0]?.pages ?? 0;
  for (let first = 0; first < pages; first += POSTGRES_BATCH_PAGES) {
    const [from, to] = [`(${first},0)`, `(${first + POSTGRES_BATCH_PAGES},0)`];
    const { rows } = await sql<Row>`
      select * from ${sql.table(table)} where ctid >= ${from}::tid and ctid < ${to}::tid
    `.execute(db);
    if (rows.length > 0) yield rows;
  }
}
