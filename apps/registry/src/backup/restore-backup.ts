import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type BlobStore, openFsBlobStore } from '@vic/blob';
import { VicError, describeError } from '@vic/errors';
import { isContentDigest } from '@vic/oci';
import {
  type DatabaseLocation,
  appliedMigrations,
  copyDatabase,
  knownMigrations,
  openDatabase,
  openDatabaseAsItIs,
} from '@vic/sql';
import type { RegistryConfiguration } from '../configuration.ts';
import { databaseLocation, openBlobs } from '../storage.ts';
import { copyPrivately, syncDirectory } from './backup-files.ts';
import { type BackupManifest, DATABASE_FILE, type FoundBackup, KEY_FILE, backupDamaged } from './backup-manifest.ts';
import { blobDamaged, requireSoundFiles } from './check-backup.ts';
import { type CopiedBlobs, copyBlobs } from './copy-blobs.ts';
import { liveBlobs } from './live-blobs.ts';

/**
 * Makes an installation of a backup where there is none.
 *
 * Everything is compared with its digest, before or while it is copied; the key, without which nothing is an
 * installation, comes last. When it fails, what was written to the data directory is removed.
 */
export async function restoreBackup(
  backup: FoundBackup,
  configuration: RegistryConfiguration,
  signal: AbortSignal,
): Promise<CopiedBlobs> {
  const { manifest } = backup;
  requireKnownSchema(manifest);
  await requireSoundFiles(backup, signal);
  const location = await databaseLocation(configuration);
  await requireEmptyTarget(configuration, location);
  const { dataDirectory } = configuration;
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => removeContent(dataDirectory));
  await using content = await openFsBlobStore({ directory: backup.contentDirectory });
  const draft = join(dataDirectory, `${DATABASE_FILE}.restoring`);
  await copyPrivately(join(backup.directory, DATABASE_FILE), draft);
  const copied = await restoreBlobs(configuration, { content, draft, manifest }, signal);
  await restoreShared(content, manifest, dataDirectory);
  for (const { path } of manifest.files) {
    if (path === DATABASE_FILE || path === KEY_FILE) continue;
    await copyPrivately(join(backup.directory, path), join(dataDirectory, path));
  }
  await restoreDatabase(draft, location, signal);
  await copyPrivately(join(backup.directory, KEY_FILE), join(dataDirectory, KEY_FILE));
  await syncDirectory(dataDirectory);
  undo.move();
  return copied;
}

function requireKnownSchema({ schema, version }: BackupManifest): void {
  const known = new Set(knownMigrations());
  const unknown = schema.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'REGISTRY_BACKUP_NEWER',
    message: `The backup is of a newer release, ${version}: its database has "${unknown}", which this one does not know.`,
    remedy: 'Restore it with the release that made it, or a newer one.',
  });
}

async function requireEmptyTarget({ dataDirectory }: RegistryConfiguration, location: DatabaseLocation): Promise<void> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const [first] = await contentOf(dataDirectory);
  if (first !== undefined) throw notEmpty(`the directory ${dataDirectory} has ${first}`);
  if (location.kind === 'sqlite') return;
  await using database = await openDatabase(location);
  const user = await database.db.selectFrom('users').select('id').limit(1).executeTakeFirst();
  if (user !== undefined) throw notEmpty('its database has users');
}

/** A directory that is a file system of its own has this from the beginning. */
async function contentOf(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name !== 'lost+found');
}

async function removeContent(directory: string): Promise<void> {
  for (const name of await contentOf(directory)) await rm(join(directory, name), { recursive: true, force: true });
}

async function restoreBlobs(
  configuration: RegistryConfiguration,
  from: { readonly content: BlobStore; readonly draft: string; readonly manifest: BackupManifest },
  signal: AbortSignal,
): Promise<CopiedBlobs> {
  const { content, manifest } = from;
  await using database = await openDatabaseAsItIs({ kind: 'sqlite', path: from.draft });
  const schema = await appliedMigrations(database);
  if (schema.join() !== manifest.schema.join()) throw backupDamaged('its database is not of the schema it names');
  const accepted = new Set<string>(manifest.missing);
  for await (const page of liveBlobs(database.db)) {
    signal.throwIfAborted();
    for (const { digest, sizeBytes } of page) {
      const found = await content.stat(digest);
      if (found?.sizeBytes !== sizeBytes && !accepted.has(digest)) throw blobDamaged(digest, found !== undefined);
    }
  }
  await using blobs = await openBlobs(configuration, () => undefined);
  const copied = await copyBlobs({ from: content, to: blobs, database }, signal);
  const damaged = copied.missing.find((digest) => !accepted.has(digest));
  if (damaged !== undefined) throw blobDamaged(damaged, true);
  return copied;
}

async function restoreShared(content: BlobStore, { shared }: BackupManifest, dataDirectory: string): Promise<void> {
  for (const { path, digest } of shared) {
    if (!isContentDigest(digest)) continue;
    const target = join(dataDirectory, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    try {
      await pipeline(await content.read(digest), createWriteStream(target, { mode: 0o600, flush: true }));
    } catch (cause) {
      throw backupDamaged(`the content of ${path}: ${describeError(cause)}`, cause);
    }
  }
}

async function restoreDatabase(draft: string, location: DatabaseLocation, signal: AbortSignal): Promise<void> {
  if (location.kind === 'sqlite') {
    await rename(draft, location.path);
    return;
  }
  {
    await using source = await openDatabase({ kind: 'sqlite', path: draft });
    await using target = await openDatabase(location);
    await copyDatabase({ from: source, to: target }, { signal });
  }
  await rm(draft);
}

function notEmpty(what: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'REGISTRY_RESTORE_NOT_EMPTY',
    message: `There is something already where the backup would be restored: ${what}.`,
    remedy: 'Name another data directory and an empty database, or move away what is there.',
  });
}
