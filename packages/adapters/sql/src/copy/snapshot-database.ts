import { open } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import type { DatabaseLocation } from '../database.ts';
import { vacuumInto } from '../dialect/sqlite/vacuum-into.ts';
import { openDatabase, openDatabaseAsItIs } from '../open-database.ts';
import { copyDatabase } from './copy-database.ts';

/**
 * Writes what a database holds at one moment into a new SQLite file (mode 0600), durably, while others go on
 * changing it.
 */
export async function snapshotDatabase(from: DatabaseLocation, path: string, signal?: AbortSignal): Promise<void> {
  // Both ways would write into a file that is there.
  await (await open(path, 'wx', 0o600).catch(notNew(path))).close();
  if (from.kind === 'sqlite') vacuumInto(from.path, path);
  else await copyInto(from, path, signal);
  await using file = await open(path, 'r+');
  await file.sync();
}

async function copyInto(from: DatabaseLocation, path: string, signal: AbortSignal | undefined): Promise<void> {
  await using source = await openDatabaseAsItIs(from);
  await using target = await openDatabase({ kind: 'sqlite', path });
  await copyDatabase({ from: source, to: target }, signal === undefined ? {} : { signal });
}

function notNew(path: string): (cause: Error) => never {
  return (cause) => {
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'SQL_SNAPSHOT_FILE',
      message: `The snapshot ${path} cannot be made: ${cause.message}.`,
      cause,
    });
  };
}
