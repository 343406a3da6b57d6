import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUuid } from '@vic/ids';
import { uploadUnknown } from '../blob-errors.ts';
import type { ListedUpload } from '../blob-store.ts';
import { errnoOf } from './storage-error.ts';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Two processes may take an upload from each other; after so many attempts one of them is told that it is gone. */
const MAX_CLAIMS = 8;

/** An upload's file, which this process alone may rename. */
export interface ClaimedUpload {
  readonly path: string;
  readonly sizeBytes: number;
  /** Another process had it before, and may still have the file open. */
  readonly takenOver: boolean;
}

/**
 * The files of uploads, `<id>.<owner>`: a process must rename a file to its own name before it writes to it or makes
 * a blob of it, so two processes that share the directory never finish the same upload twice.
 */
export class UploadFiles {
  readonly directory: string;
  readonly #owner = randomUuid().slice(0, 8);

  constructor(directory: string) {
    this.directory = directory;
  }

  /** A new, empty upload. */
  async create(): Promise<{ readonly id: string; readonly path: string }> {
    const id = randomUuid();
    const path = this.#pathOf(id);
    const file = await open(path, 'wx', 0o600);
    await file.close();
    return { id, path };
  }

  /** The upload, taken over from the process that had it before if need be. */
  async claim(id: string): Promise<ClaimedUpload> {
    const path = this.#pathOf(requireId(id));
    for (let attempt = 0; attempt < MAX_CLAIMS; attempt++) {
      const sizeBytes = await sizeOf(path);
      if (sizeBytes !== undefined) return { path, sizeBytes, takenOver: attempt > 0 };
      const other = await this.#find(id);
      if (other === undefined) break;
      await renameIfThere(other, path);
    }
    throw uploadUnknown(id);
  }

  /** The size, whoever has the upload. */
  async sizeOf(id: string): Promise<number> {
    const own = await sizeOf(this.#pathOf(requireId(id)));
    if (own !== undefined) return own;
    for (let attempt = 0; attempt < MAX_CLAIMS; attempt++) {
      const other = await this.#find(id);
      if (other === undefined) break;
      const sizeBytes = await sizeOf(other);
      if (sizeBytes !== undefined) return sizeBytes;
    }
    throw uploadUnknown(id);
  }

  async remove(id: string): Promise<void> {
    const { path } = await this.claim(id);
    await rm(path, { force: true });
  }

  async *list(): AsyncGenerator<ListedUpload, void, undefined> {
    for (const name of await readdir(this.directory)) {
      const id = name.slice(0, name.indexOf('.'));
      if (!ID.test(id)) continue;
      const found = await stat(join(this.directory, name)).catch(ignoreMissing);
      if (found !== undefined) yield { id, sizeBytes: found.size, modifiedAtMs: Math.round(found.mtimeMs) };
    }
  }

  #pathOf(id: string): string {
    return join(this.directory, `${id}.${this.#owner}`);
  }

  async #find(id: string): Promise<string | undefined> {
    const name = (await readdir(this.directory)).find((candidate) => candidate.startsWith(`${id}.`));
    return name === undefined ? undefined : join(this.directory, name);
  }
}

/** Ids reach file names: nothing but what {@link UploadFiles.create} made is let through. */
function requireId(id: string): string {
  if (ID.test(id)) return id;
  throw uploadUnknown(id);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(ignoreMissing))?.size;
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(ignoreMissing);
}

/** For `catch`: nothing where there is no such file, the error otherwise. */
export function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}
