import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isVicError } from '@vic/errors';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { CommitListeners } from '../../commit-listeners.ts';
import type { Database } from '../../database.ts';
import type { Schema } from '../../schema/schema.ts';
import { databaseUnavailable } from '../../sql-error.ts';
import { SQLITE_COLUMN_TYPES } from '../column-types.ts';
import type { DialectParts } from '../dialect-parts.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { toSqliteError } from './sqlite-error.ts';
import { SqliteFile } from './sqlite-file.ts';
import { whenFree } from './when-free.ts';
import { WriteAheadLog } from './write-ahead-log.ts';
import { WriteLock } from './write-lock.ts';

/** Kysely's own lets statements wait for the transaction that is open, as if there were one connection. */
class TwoConnectionsAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** What migrations need to know of SQLite. */
export const SQLITE_PARTS: DialectParts = {
  types: SQLITE_COLUMN_TYPES,
  createAdapter: () => new TwoConnectionsAdapter(),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  plugins: [],
  // The transaction of a migration is the only writer from its begin.
  lockSchema: async () => undefined,
};

/** Opens a database file, made with mode 0600 (its directory with 0700) when it is not there. */
export async function openSqlite(path: string): Promise<Database> {
  await using onFailure = new AsyncDisposableStack();
  const writer = onFailure.use(await openWriter(path));
  const reader = onFailure.use(await openFile(path, { readOnly: true }));
  // Reading makes sure that there is a log.
  for (const connection of [writer, reader]) {
    await whenFree(() => connection.execute('select count(*) from sqlite_schema'));
  }
  const log = onFailure.use(await WriteAheadLog.of(path));
  const connections = { writer, reader, log, lock: new WriteLock() };
  const resources = onFailure.move();
  const db = new Kysely<Schema>({
    dialect: { ...SQLITE_PARTS, createDriver: () => new SqliteDriver(connections) },
  });
  const listeners = new CommitListeners();
  return {
    dialect: 'sqlite',
    db,
    transaction: async (body) =>
      listeners.after(async () =>
        db.transaction().execute(async (transaction) => connections.lock.runTransaction(async () => body(transaction))),
      ),
    afterCommit: (listener) => listeners.add(listener),
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      await resources.disposeAsync();
    },
  };
}

async function openWriter(path: string): Promise<SqliteFile> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await using file = await open(path, 'a', 0o600);
    await file.close();
    await using onFailure = new AsyncDisposableStack();
    const writer = onFailure.use(await openFile(path, { readOnly: false }));
    // Only who has the file alone changes the mode, which several processes starting together ask for.
    await whenFree(() => writer.execute('pragma journal_mode = wal'));
    onFailure.move();
    return writer;
  } catch (error) {
    const known = toSqliteError(error);
    throw known instanceof Error && !isVicError(known) ? databaseUnavailable(known) : known;
  }
}

/** The last process to close the file, and one that mends it after a crash, has it alone for a moment. */
async function openFile(path: string, options: { readonly readOnly: boolean }): Promise<SqliteFile> {
  return whenFree(() => new SqliteFile(path, options));
}
