import { type QueryExecutorProvider, sql } from 'kysely';
import type { Database } from '../database.ts';

/** The last id that a table has given, also to rows that are gone; `undefined` where there is none. */
export async function lastId(
  dialect: Database['dialect'],
  db: QueryExecutorProvider,
  table: string,
): Promise<number | undefined> {
  if (dialect === 'sqlite') {
    const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = ${table}`.execute(db);
    return rows[0]?.seq;
  }
  const sequence = await sequenceOf(db, table);
  if (sequence === undefined) return undefined;
  const { rows } = await sql<{ last: number; called: boolean }>`
    select last_value as last, is_called as called from ${sql.raw(sequence)}
  `.execute(db);
  return rows[0]?.called === true ? rows[0].last : undefined;
}

/** Makes a table give ids after that one. */
export async function setLastId(
  dialect: Database['dialect'],
  db: QueryExecutorProvider,
  table: { readonly name: string; readonly lastId: number },
): Promise<void> {
  if (dialect === 'sqlite') {
    await sql`delete from sqlite_sequence where name = ${table.name}`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values (${table.name}, ${table.lastId})`.execute(db);
    return;
  }
  const sequence = await sequenceOf(db, table.name);
  if (sequence !== undefined) await sql`select setval(${sequence}::regclass, ${table.lastId})`.execute(db);
}

/** Its name as PostgreSQL quotes it itself. */
async function sequenceOf(db: QueryExecutorProvider, table: string): Promise<string | undefined> {
  const { rows: columns } = await sql<{ found: boolean }>`
    select exists (
      select from pg_attribute where attrelid = ${table}::regclass and attname = 'id' and attidentity <> ''
    ) as found
  `.execute(db);
  if (columns[0]?.found !== true) return undefined;
  const { rows } = await sql<{ name: string | null }>`
    select pg_get_serial_sequence(${table}, 'id') as name
  `.execute(db);
  return rows[0]?.name ?? undefined;
}
