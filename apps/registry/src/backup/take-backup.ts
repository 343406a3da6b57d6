import { createReadStream } from 'node:fs';
import { access, constants, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BlobStore, openFsBlobStore } from '@vic/blob';
import { VicError } from '@vic/errors';
import { recordDamage } from '@vic/gc';
import type { Logger } from '@vic/log';
import { isContentDigest } from '@vic/oci';
import { openDatabaseAsItIs } from '@vic/sql';
import type { RegistryConfiguration } from '../configuration.ts';
import { databaseLocation, openBlobs } from '../storage.ts';
import { VERSION } from '../version.ts';
import type { CopiedBlobs } from './copy-blobs.ts';
import { copyPrivately, fileDigest, filesBelow, syncDirectory } from './backup-files.ts';
import { type BackupManifest, CONTENT_DIRECTORY, DATABASE_FILE, writeManifest } from './backup-manifest.ts';
import { lockBackups } from './lock-backups.ts';
import { pruneBackups, removeUnfinished } from './prune-backups.ts';
import { snapshotWithBlobs } from './snapshot-with-blobs.ts';

/** What a backup is taken of. */
export interface BackupSource {
  readonly configuration: RegistryConfiguration;
  /** Where the configuration was read from, if it was. */
  readonly configurationFile: string | undefined;
}

/** How a backup went. */
export interface BackupReport {
  readonly directory: string;
  readonly blobs: CopiedBlobs;
  /** Older backups that were removed. */
  readonly removed: readonly string[];
}

/**
 * Puts a backup into a directory of backups, beside a registry that serves. It appears under its name when it is
 * complete; content that an earlier one has is not copied again.
 */
export async function takeBackup(
  source: BackupSource,
  to: string,
  options: { readonly logger: Logger; readonly signal: AbortSignal; readonly keep?: number },
): Promise<BackupReport> {
  const { logger, signal, keep } = options;
  const { configuration } = source;
  const location = await databaseLocation(configuration);
  const createdAt = new Date();
  const directory = join(to, createdAt.toISOString().replaceAll(/[-:.]/g, ''));
  const draft = `${directory}.partial`;
  await prepare(to);
  await using _lock = await lockBackups(to);
  await removeUnfinished(to);
  await mkdir(draft, { mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => rm(draft, { recursive: true, force: true }));
  await using database = await openDatabaseAsItIs(location);
  await using blobs = await openBlobs(configuration, recordDamage({ database, logger }));
  await using content = await openFsBlobStore({ directory: join(to, CONTENT_DIRECTORY) });
  const snapshot = await snapshotWithBlobs({ location, database, blobs, content }, join(draft, DATABASE_FILE), signal);
  await copyFiles(source, draft);
  const shared = await shareFiles(configuration, content, signal);
  await writeManifest(draft, {
    format: 1,
    version: VERSION,
    createdAt: createdAt.toISOString(),
    dialect: database.dialect,
    schema: [...snapshot.schema],
    files: await describeFiles(draft),
    shared,
    blobs: { count: snapshot.copied.count, sizeBytes: snapshot.copied.sizeBytes },
    missing: [...snapshot.copied.missing],
  });
  await syncDirectory(draft);
  undo.move();
  await rename(draft, directory);
  await syncDirectory(to);
  const removed = keep === undefined ? [] : await pruneBackups(to, { keep, content, signal });
  return { directory, blobs: snapshot.copied, removed };
}

async function prepare(to: string): Promise<void> {
  try {
    await mkdir(to, { recursive: true, mode: 0o700 });
    await access(to, constants.W_OK);
  } catch (cause) {
    throw unwritable(to, cause);
  }
}

/** Backups cannot be written there. */
export function unwritable(directory: string, cause: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_BACKUP_TARGET',
    message: `Nothing can be written to ${directory}: ${cause instanceof Error ? cause.message : String(cause)}.`,
    remedy: 'Name a directory that only backups are kept in; it is made when it is not there.',
    cause,
  });
}

/** Keys and certificates, and what the configuration names; passwords of other systems are kept there. */
async function copyFiles({ configuration, configurationFile }: BackupSource, draft: string): Promise<void> {
  const { dataDirectory, tls } = configuration;
  for (const path of ['secret.key', ...(await filesBelow(dataDirectory, 'tls'))]) {
    await copyPrivately(join(dataDirectory, path), join(draft, path));
  }
  if (configurationFile !== undefined) {
    await copyPrivately(configurationFile, join(draft, 'configuration', basename(configurationFile)));
  }
  if (typeof tls !== 'object') return;
  await copyPrivately(tls.certificateFile, join(draft, 'configuration/tls/server.crt'));
  await copyPrivately(tls.privateKeyFile, join(draft, 'configuration/tls/server.key'));
}

/** Advisories are large and never change: they are kept once for all backups. */
async function shareFiles(
  { dataDirectory }: RegistryConfiguration,
  content: BlobStore,
  signal: AbortSignal,
): Promise<BackupManifest['shared']> {
  const shared: BackupManifest['shared'] = [];
  for (const path of await filesBelow(dataDirectory, 'advisories')) {
    const file = join(dataDirectory, path);
    const digest = await fileDigest(file);
    if (!isContentDigest(digest)) continue;
    if ((await content.stat(digest)) === undefined) await content.put(digest, createReadStream(file), signal);
    shared.push({ path, digest });
  }
  return shared;
}

async function describeFiles(draft: string): Promise<BackupManifest['files']> {
  const directories = ['', 'tls', 'configuration', 'configuration/tls'];
  const paths = (await Promise.all(directories.map(async (name) => filesBelow(draft, name)))).flat();
  const files: BackupManifest['files'] = [];
  for (const path of paths) {
    const file = join(draft, path);
    files.push({ path, sizeBytes: (await stat(file)).size, digest: await fileDigest(file) });
  }
  return files;
}
