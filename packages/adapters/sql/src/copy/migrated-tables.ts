import { SQLITE_PARTS } from '../dialect/sqlite/open-sqlite.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import { recordStatements } from '../record-statements.ts';

/** What the migrations make. */
export interface MigratedTables {
  /** Every table after those it refers to. */
  readonly names: readonly string[];
  /** Those that have rows from the beginning. */
  readonly seeded: ReadonlySet<string>;
}

/** The tables of the schema, in the order in which they were made: none refers to a later one. */
export async function migratedTables(): Promise<MigratedTables> {
  const statements = await recordStatements(SQLITE_PARTS, async (db) => {
    for (const migration of MIGRATIONS) await migration.up(db, SQLITE_PARTS.types);
  });
  const named = (pattern: RegExp): readonly string[] =>
    statements.flatMap((statement) => pattern.exec(statement.trim())?.[1] ?? []);
  const dropped = new Set(named(/^drop table (?:if exists )?"?(\w+)/i));
  return {
    names: named(/^create table (?:if not exists )?"?(\w+)/i).filter((name) => !dropped.has(name)),
    seeded: new Set(named(/^insert into "?(\w+)/i)),
  };
}
