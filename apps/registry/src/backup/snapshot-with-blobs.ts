import { rm } from 'node:fs/promises';
import type { BlobStore } from '@vic/blob';
import { VicError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import {
  type Database,
  type DatabaseLocation,
  appliedMigrations,
  openDatabaseAsItIs,
  snapshotDatabase,
} from '@vic/sql';
import { type CopiedBlobs, copyBlobs } from './copy-blobs.ts';

/** What is copied, and where the blobs go. */
export interface SnapshotSides {
  readonly location: DatabaseLocation;
  readonly database: Pick<Database, 'db'>;
  readonly blobs: BlobStore;
  readonly content: BlobStore;
}

/** A database that was written, and the blobs it names. */
export interface Snapshot {
  readonly schema: readonly string[];
  readonly copied: CopiedBlobs;
}

const MAX_ROUNDS = 10;

/**
 * The database first, then what it names. What was deleted and collected in between is in the database that was
 * written and not among the blobs: then a newer database is taken, which does not name it any more.
 */
export async function snapshotWithBlobs(sides: SnapshotSides, path: string, signal: AbortSignal): Promise<Snapshot> {
  for (let round = 1; ; round++) {
    await rm(path, { force: true });
    await snapshotDatabase(sides.location, path, signal);
    const taken = await withSnapshot(path, async (snapshot) => ({
      schema: await appliedMigrations(snapshot),
      copied: await copyBlobs({ from: sides.blobs, to: sides.content, database: snapshot }, signal),
    }));
    if (!(await wereCollected(sides.database, taken.copied.missing))) return taken;
    if (round === MAX_ROUNDS) throw neverStill();
  }
}

async function withSnapshot<T>(path: string, work: (database: Database) => Promise<T>): Promise<T> {
  await using database = await openDatabaseAsItIs({ kind: 'sqlite', path });
  return await work(database);
}

/** Whether some of them are not missed any more. */
async function wereCollected({ db }: Pick<Database, 'db'>, missing: readonly ContentDigest[]): Promise<boolean> {
  for (const digest of missing) {
    const row = await db.selectFrom('blobs').select('state').where('digest', '=', digest).executeTakeFirst();
    if (row?.state !== 'live') return true;
  }
  return false;
}

function neverStill(): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_BACKUP_UNSETTLED',
    message: `Blobs were collected faster than they were copied, ${MAX_ROUNDS} times.`,
    remedy: 'Try again when no collection with a short --older-than runs; what was copied need not be copied again.',
  });
}
