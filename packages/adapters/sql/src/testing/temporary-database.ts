import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import type { Database, DatabaseLocation } from '../database.ts';
import { openDatabase } from '../open-database.ts';

/** A database that is gone when it is disposed of. */
export interface TemporaryDatabase extends Database {
  /** Where it is, for another process, or to open it a second time. */
  readonly location: DatabaseLocation;
}

/** A migrated SQLite database in a temporary directory. */
export async function temporaryDatabase(): Promise<TemporaryDatabase> {
  await using onFailure = new AsyncDisposableStack();
  const directory = onFailure.use(await temporaryDirectory('vic-sql-'));
  const location = { kind: 'sqlite', path: join(directory.path, 'registry.db') } as const;
  const database = onFailure.use(await openDatabase(location));
  const resources = onFailure.move();
  return { ...database, location, [Symbol.asyncDispose]: async () => resources.disposeAsync() };
}
