import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '@vic/blob';
import { findBackup, listBackups } from './backup-manifest.ts';
import { blobsOf } from './check-backup.ts';

/**
 * Removes all but the latest backups, and the content that none of the others needs; gives the backups that were
 * removed. Nobody else may be at work in the directory.
 */
export async function pruneBackups(
  directory: string,
  options: { readonly keep: number; readonly content: BlobStore; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { keep, content, signal } = options;
  const removed = (await listBackups(directory)).slice(0, -keep);
  for (const name of removed) await rm(join(directory, name), { recursive: true, force: true });
  const needed = new Set<string>();
  for (const name of await listBackups(directory)) {
    const backup = await findBackup(join(directory, name));
    for (const { digest } of backup.manifest.shared) needed.add(digest);
    for await (const page of blobsOf(backup)) for (const { digest } of page) needed.add(digest);
  }
  for await (const { digest } of content.list(signal)) if (!needed.has(digest)) await content.remove(digest);
  return removed;
}

/** Removes what was begun by processes that were killed. Nobody else may be at work in the directory. */
export async function removeUnfinished(directory: string): Promise<void> {
  const unfinished = (await readdir(directory)).filter((name) => /\.partial$|^\.reading-/.test(name));
  for (const name of unfinished) await rm(join(directory, name), { recursive: true, force: true });
}
