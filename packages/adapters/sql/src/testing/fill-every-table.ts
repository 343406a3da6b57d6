import { type Kysely, sql } from 'kysely';
import type { Database } from '../database.ts';
import { migratedTables } from '../copy/migrated-tables.ts';

const ROWS = 3;

/** Puts rows into every table of an empty database: each references the row of the same number in others. */
export async function fillEveryTable(database: Database): Promise<void> {
  const db = database.db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  const { names, seeded } = await migratedTables();
  // SQLite calls keys of text nullable: the first column is never null.
  const described = new Map((await db.introspection.getTables()).map((table) => [table.name, table]));
  for (const name of names) {
    if (seeded.has(name)) continue;
    const columns = described.get(name)?.columns ?? [];
    for (let number = 1; number <= ROWS; number++) {
      const values = columns.map(({ name: column, dataType, isNullable }, index) => [
        column,
        index > 0 && isNullable && number === 2 ? null : valueOf(column, dataType, number),
      ]);
      await db
        .insertInto(name)
        .values(Object.fromEntries(values) as Record<string, unknown>)
        .execute();
    }
  }
  await sql`update event_sequence set last_position = 41`.execute(db);
  await sql`update audit_chain set last_position = 42, last_hash = ${'f'.repeat(64)}`.execute(db);
}

function valueOf(column: string, type: string, number: number): unknown {
  if (/blob|bytea/i.test(type)) return Buffer.from([0, 255, number]);
  if (/double|float|real/i.test(type)) return number + 0.5;
  if (column.endsWith('_ms')) return 1_700_000_000_000 + number;
  if (/int/i.test(type)) return number;
  return `${column} ${number} – “ü” \n'; --`;
}
