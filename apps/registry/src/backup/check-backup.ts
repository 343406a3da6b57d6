import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '@vic/async';
import { type BlobStore, openFsBlobStore } from '@vic/blob';
import type { VicError } from '@vic/errors';
import { type ContentDigest, isContentDigest } from '@vic/oci';
import { openDatabaseAsItIs } from '@vic/sql';
import { copyPrivately, fileDigest } from './backup-files.ts';
import { DATABASE_FILE, type FoundBackup, KEY_FILE, backupDamaged } from './backup-manifest.ts';
import { liveBlobs } from './live-blobs.ts';

const PARALLEL = 2;

/** Reads everything that a backup needs; throws for the first of what is not as it was written. */
export async function checkBackup(
  backup: FoundBackup,
  signal: AbortSignal,
): Promise<{ readonly count: number; readonly sizeBytes: number }> {
  await requireSoundFiles(backup, signal);
  await using content = await openFsBlobStore({ directory: backup.contentDirectory });
  for (const { digest } of backup.manifest.shared) {
    if (isContentDigest(digest)) await requireSound(content, digest, signal);
  }
  const accepted = new Set<string>(backup.manifest.missing);
  let [count, sizeBytes] = [0, 0];
  for await (const page of blobsOf(backup)) {
    await mapLimit(page, PARALLEL, async (blob) => {
      if (accepted.has(blob.digest)) return;
      await requireSound(content, blob.digest, signal);
      count++;
      sizeBytes += blob.sizeBytes;
    });
  }
  return { count, sizeBytes };
}

/** The blobs that a backup needs; its database is looked at in a copy, because looking leaves traces. */
export async function* blobsOf(backup: FoundBackup): ReturnType<typeof liveBlobs> {
  const directory = await mkdtemp(join(backup.directory, '../.reading-'));
  try {
    const path = join(directory, DATABASE_FILE);
    await copyPrivately(join(backup.directory, DATABASE_FILE), path);
    await using database = await openDatabaseAsItIs({ kind: 'sqlite', path });
    yield* liveBlobs(database.db);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Throws unless the files beside the manifest are those it lists. */
export async function requireSoundFiles({ directory, manifest }: FoundBackup, signal: AbortSignal): Promise<void> {
  for (const name of [DATABASE_FILE, KEY_FILE]) {
    if (!manifest.files.some(({ path }) => path === name)) throw backupDamaged(`it lists no ${name}`);
  }
  for (const { path, digest, sizeBytes } of manifest.files) {
    signal.throwIfAborted();
    const file = join(directory, path);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) throw backupDamaged(`${file} is missing`);
    if (found.size !== sizeBytes) throw backupDamaged(`${file} has ${found.size} bytes instead of ${sizeBytes}`);
    if ((await fileDigest(file)) !== digest) throw backupDamaged(`${file} is not what its digest says`);
  }
}

async function requireSound(content: BlobStore, digest: ContentDigest, signal: AbortSignal): Promise<void> {
  const verdict = await content.verify(digest, signal);
  if (verdict !== 'sound') throw blobDamaged(digest, verdict === 'damaged');
}

/** A blob of a backup is not there, or not what it is named by. */
export function blobDamaged(digest: ContentDigest, isThere: boolean): VicError {
  return backupDamaged(`the blob ${digest} is ${isThere ? 'not what its digest says' : 'missing'}`);
}
