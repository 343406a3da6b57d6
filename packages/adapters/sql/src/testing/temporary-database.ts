import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import type { Database, DatabaseLocation } from '../database.ts';
import { openSqlite } from '../dialect/sqlite/open-sqlite.ts';
import { openDatabase } from '../open-database.ts';

/** A database that is gone when it is disposed of. */
export interface TemporaryDatabase extends Database {
  /** Where it is, for another process, or to open it a second time. */
  readonly location: DatabaseLocation;
}

let template: Promise<Uint8Array> | undefined;

/** A migrated SQLite database in a temporary directory. */
export async function temporaryDatabase(): Promise<TemporaryDatabase> {
  await using onFailure = new AsyncDisposableStack();
  const directory = onFailure.use(await temporaryDirectory('vic-sql-'));
  const location = { kind: 'sqlite', path: join(directory.path, 'registry.db') } as const;
  // Every test of a process has the same schema: it is made once.
  template ??= makeTemplate();
  await writeFile(location.path, await template, { mode: 0o600 });
  const database = onFailure.use(await openSqlite(location.path));
  const resources = onFailure.move();
  return { ...database, location, [Symbol.asyncDispose]: async () => resources.disposeAsync() };
}

async function makeTemplate(): Promise<Uint8Array> {
  await using directory = await temporaryDirectory('vic-sql-');
  const path = join(directory.path, 'template.db');
  const database = await openDatabase({ kind: 'sqlite', path });
  await database[Symbol.asyncDispose]();
  return readFile(path);
}
