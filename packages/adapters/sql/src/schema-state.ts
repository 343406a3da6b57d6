import { VicError } from '@vic/errors';
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import { POSTGRES_PARTS } from './dialect/postgres/open-postgres.ts';
import { SQLITE_PARTS } from './dialect/sqlite/open-sqlite.ts';
import { pendingMigrations } from './migrate.ts';
import { MIGRATIONS } from './migrations/migrations.ts';

/** The names of the migrations of this release, in order. */
export function knownMigrations(): readonly string[] {
  return MIGRATIONS.map(({ name }) => name);
}

/** The names of the migrations that made the database what it is, in order. */
export async function appliedMigrations({ db }: Pick<Database, 'db'>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from schema_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** Throws unless the database has exactly the schema of this release; changes nothing. */
export async function requireCurrentSchema(database: Database): Promise<void> {
  const parts = database.dialect === 'sqlite' ? SQLITE_PARTS : POSTGRES_PARTS;
  const pending = await pendingMigrations(database.db as unknown as Kysely<unknown>, parts, MIGRATIONS);
  const [next] = pending;
  if (next === undefined) return;
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'SQL_SCHEMA_OLDER',
    message: `The database lacks "${next}", which this release has${pending.length > 1 ? ', and more' : ''}.`,
    remedy: 'Bring it up to date first: registry migrate.',
  });
}
