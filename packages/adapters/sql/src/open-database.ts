import type { Kysely } from 'kysely';
import type { Database, DatabaseLocation } from './database.ts';
import type { DialectParts } from './dialect/dialect-parts.ts';
import { POSTGRES_PARTS, openPostgres } from './dialect/postgres/open-postgres.ts';
import { SQLITE_PARTS, openSqlite } from './dialect/sqlite/open-sqlite.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/migrations.ts';

/** Opens the database and brings its schema up to date. */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  const [database, parts] = await connect(location);
  await using onFailure = new AsyncDisposableStack();
  onFailure.use(database);
  await migrate(database.db as unknown as Kysely<unknown>, parts, MIGRATIONS);
  onFailure.move();
  return database;
}

/** Opens the database of an installation with the schema it has; see {@link openDatabase}. */
export async function openDatabaseAsItIs(location: DatabaseLocation): Promise<Database> {
  const [database] = await connect(location);
  return database;
}

async function connect(location: DatabaseLocation): Promise<[Database, DialectParts]> {
  switch (location.kind) {
    case 'sqlite':
      return [await openSqlite(location.path), SQLITE_PARTS];
    case 'postgres':
      return [await openPostgres(location), POSTGRES_PARTS];
  }
}
