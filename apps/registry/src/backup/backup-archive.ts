import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VicError, describeError } from '@vic/errors';
import { END_OF_ARCHIVE, encodeHeader, readTar } from '@vic/tar';
import { type FoundBackup, backupDamaged, findBackup } from './backup-manifest.ts';
import { type BackupReport, unwritable } from './take-backup.ts';
import { syncDirectory } from './backup-files.ts';

/** Whether a backup is to be, or is, one tar file. */
export function isArchive(path: string): boolean {
  return path.endsWith('.tar');
}

/** Takes a backup in a directory beside the file and packs it; the file appears when it is whole. */
export async function archiveBackup(
  file: string,
  signal: AbortSignal,
  take: (directory: string) => Promise<BackupReport>,
): Promise<BackupReport> {
  await requireNew(file);
  await using directory = await scratchDirectory(`${file}.making-`);
  const report = await take(directory.path);
  await packDirectory(directory.path, file, signal);
  return { ...report, directory: file };
}

/** Finds a backup, unpacking it for as long as `work` takes where it is a file; `scratch` begins the name for that. */
export async function withBackup<T>(
  from: string,
  { scratch, signal }: { readonly scratch: string; readonly signal: AbortSignal },
  work: (backup: FoundBackup) => Promise<T>,
): Promise<T> {
  if (!isArchive(from)) return work(await findBackup(from));
  await using directory = await scratchDirectory(scratch);
  await unpackArchive(from, directory.path, signal);
  return await work(await findBackup(directory.path));
}

async function requireNew(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return;
  throw new VicError({
    class: 'AlreadyExists',
    code: 'REGISTRY_BACKUP_EXISTS',
    message: `There is a file ${file} already.`,
    remedy: "Name another file, or a directory, in which backups do not get in each other's way.",
  });
}

async function scratchDirectory(prefix: string): Promise<AsyncDisposable & { readonly path: string }> {
  try {
    await mkdir(dirname(prefix), { recursive: true, mode: 0o700 });
    const path = await mkdtemp(prefix);
    return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    throw unwritable(dirname(prefix), cause);
  }
}

/** Writes a directory into a tar file (mode 0600), which appears when it is whole. */
async function packDirectory(directory: string, file: string, signal: AbortSignal): Promise<void> {
  const draft = `${file}.partial.tar`;
  try {
    await pipeline(
      Readable.from(archiveOf(directory)),
      createWriteStream(draft, { mode: 0o600, flush: true, flags: 'w' }),
      { signal },
    );
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(file));
}

/** Writes the files of an archive below a directory. */
async function unpackArchive(file: string, directory: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const entry of readTar(createReadStream(file))) {
      // Names were made relative, without "..", by the reader.
      if (entry.type !== 'file' || entry.path === '') continue;
      const target = join(directory, entry.path);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await pipeline(entry.content, createWriteStream(target, { mode: 0o600, flags: 'wx' }), { signal });
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw backupDamaged(`${file}: ${describeError(cause)}`, cause);
  }
}

async function* archiveOf(directory: string): AsyncGenerator<Buffer, void, undefined> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    yield* fileEntry(path, relative(directory, path));
  }
  yield END_OF_ARCHIVE;
}

const BLOCK_BYTES = 512;

async function* fileEntry(path: string, name: string): AsyncGenerator<Buffer, void, undefined> {
  const { size: sizeBytes, mtimeMs } = await stat(path);
  yield encodeHeader({
    ...{ path: Buffer.from(name).toString('latin1'), type: 'file', mode: 0o600, uid: 0, gid: 0, sizeBytes },
    ...{ mtimeSeconds: Math.floor(mtimeMs / 1000), linkTarget: '', deviceMajor: 0, deviceMinor: 0, xattrs: new Map() },
  });
  await using file = await open(path);
  if (sizeBytes > 0) yield* file.createReadStream({ end: sizeBytes - 1, autoClose: false });
  yield END_OF_ARCHIVE.subarray(0, (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}
