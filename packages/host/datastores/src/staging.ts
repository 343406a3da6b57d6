import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGING_FOLDER } from './datastore-path.ts';
import { fromFileSystem } from './datastore-errors.ts';
import type { DatastoreRoot, Location } from './datastore-roots.ts';

/**
 * Makes a file completely before anybody can see it: `produce` writes it in the staging folder of its datastore,
 * and then it gets its name in one step. Nothing is left behind on failure.
 */
export async function stageFile<T>(
  target: Location,
  options: { readonly replace: boolean },
  produce: (stagedPath: string) => Promise<T>,
): Promise<T> {
  const staged = stagedPathOn(target.root);
  try {
    await mkdir(stagingFolderOf(target.root), { recursive: true, mode: 0o711 });
    const result = await produce(staged);
    if (options.replace) await rename(staged, target.hostPath);
    else {
      // Unlike rename, link never replaces what is there.
      await link(staged, target.hostPath);
      await rm(staged, { force: true });
    }
    return result;
  } catch (error) {
    await rm(staged, { force: true });
    throw fromFileSystem(error, target.path);
  }
}

/** Removes a file or folder so that it is gone at once, however long the work behind takes. */
export async function removeTree(target: Location): Promise<void> {
  const staged = stagedPathOn(target.root);
  try {
    await mkdir(stagingFolderOf(target.root), { recursive: true, mode: 0o711 });
    await rename(target.hostPath, staged);
  } catch (error) {
    throw fromFileSystem(error, target.path);
  }
  await rm(staged, { recursive: true, force: true });
}

/** Clears what a crash left in the staging folders. To be called before anything else uses the datastores. */
export async function sweepStaging(roots: readonly DatastoreRoot[]): Promise<void> {
  for (const root of roots) await rm(stagingFolderOf(root), { recursive: true, force: true });
}

/** Makes a new file's bytes safe against a power failure. */
export async function syncFile(hostPath: string): Promise<void> {
  const file = await open(hostPath, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

function stagingFolderOf(root: DatastoreRoot): string {
  return join(root.directory, STAGING_FOLDER);
}

function stagedPathOn(root: DatastoreRoot): string {
  return join(stagingFolderOf(root), randomUUID());
}
