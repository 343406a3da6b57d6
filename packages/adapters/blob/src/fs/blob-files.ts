import { link, mkdir, opendir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapLimit } from '@vic/async';
import { randomUuid } from '@vic/ids';
import { type ContentDigest, type DigestAlgorithm, algorithmOf, hexOf, isContentDigest } from '@vic/oci';
import type { BlobStat, ListedBlob } from '../blob-store.ts';
import { DirectorySync } from './directory-sync.ts';
import { errnoOf } from './storage-error.ts';
import { ignoreMissing } from './upload-files.ts';

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];
const PARALLEL_STATS = 8;

/**
 * The files of blobs, `blobs/<algorithm>/<first two digits>/<digits>`.
 *
 * 256 directories keep a million blobs at 4,000 entries each, and storing a blob makes one directory durable only.
 */
export class BlobFiles {
  readonly #blobs: string;
  readonly #quarantine: string;
  readonly #directories = new DirectorySync();
  /** The directories that are there durably, whoever made them. */
  readonly #known = new Set<string>();

  constructor(root: string) {
    this.#blobs = join(root, 'blobs');
    this.#quarantine = join(root, 'quarantine');
  }

  /** Makes the directories that do not depend on digests, durably. */
  async prepare(): Promise<void> {
    for (const algorithm of ALGORITHMS) await mkdir(join(this.#blobs, algorithm), { recursive: true, mode: 0o700 });
    await mkdir(this.#quarantine, { recursive: true, mode: 0o700 });
    await this.#directories.sync(this.#blobs);
    await this.#directories.sync(dirname(this.#blobs));
  }

  pathOf(digest: ContentDigest): string {
    return join(this.#directoryOf(digest), hexOf(digest));
  }

  async stat(digest: ContentDigest): Promise<BlobStat | undefined> {
    const found = await stat(this.pathOf(digest)).catch(ignoreMissing);
    return found === undefined ? undefined : asStat(found);
  }

  /** Makes a file whose content is durable the blob, durably; one that was there is replaced. */
  async adopt(path: string, digest: ContentDigest): Promise<void> {
    const directory = this.#directoryOf(digest);
    const known = this.#known.has(directory);
    if (!known) await mkdir(directory, { recursive: true, mode: 0o700 });
    await rename(path, this.pathOf(digest));
    await Promise.all([this.#directories.sync(directory), known || this.#directories.sync(dirname(directory))]);
    this.#known.add(directory);
  }

  async remove(digest: ContentDigest): Promise<boolean> {
    return rm(this.pathOf(digest)).then(() => true, absent);
  }

  /**
   * Removes the file unless another was stored under its name in the meantime, as told by `isSame`; the check is
   * repeated once the file is out of the way, and a newer one put back.
   */
  async removeIf(digest: ContentDigest, isSame: (file: FileIdentity) => boolean): Promise<boolean> {
    const aside = this.#aside(digest, 'removed');
    if (!(await this.#moveIf(digest, aside, isSame))) return false;
    await rm(aside, { force: true });
    return true;
  }

  /** Puts the file out of the way for an administrator to look at; gives its new path if it was still there. */
  async quarantine(digest: ContentDigest, isSame: (file: FileIdentity) => boolean): Promise<string | undefined> {
    const aside = this.#aside(digest, new Date().toISOString().replaceAll(':', ''));
    return (await this.#moveIf(digest, aside, isSame)) ? aside : undefined;
  }

  async *list(signal: AbortSignal | undefined): AsyncGenerator<ListedBlob, void, undefined> {
    for (const algorithm of ALGORITHMS) {
      for (let first = 0; first < 256; first++) {
        signal?.throwIfAborted();
        yield* this.#listDirectory(algorithm, first.toString(16).padStart(2, '0'));
      }
    }
  }

  async *#listDirectory(algorithm: DigestAlgorithm, first: string): AsyncGenerator<ListedBlob, void, undefined> {
    const digests: ContentDigest[] = [];
    const directory = await opendir(join(this.#blobs, algorithm, first)).catch(ignoreMissing);
    if (directory === undefined) return;
    for await (const { name } of directory) {
      const digest = `${algorithm}:${name}`;
      if (isContentDigest(digest)) digests.push(digest);
    }
    const stats = await mapLimit(digests, PARALLEL_STATS, async (digest) => this.stat(digest));
    for (const [index, digest] of digests.entries()) {
      const found = stats[index];
      if (found !== undefined) yield { digest, ...found };
    }
  }

  async #moveIf(digest: ContentDigest, aside: string, isSame: (file: FileIdentity) => boolean): Promise<boolean> {
    const path = this.pathOf(digest);
    const before = await stat(path).catch(ignoreMissing);
    if (before === undefined || !isSame(before)) return false;
    // A rename changes the time of change, so what was moved is recognised by its number.
    const moved = await rename(path, aside).then(async () => stat(aside), ignoreMissing);
    if (moved === undefined) return false;
    if (moved.ino === before.ino) return true;
    await link(aside, path).catch(unlessThere);
    await rm(aside, { force: true });
    return false;
  }

  #aside(digest: ContentDigest, reason: string): string {
    return join(this.#quarantine, `${algorithmOf(digest)}-${hexOf(digest)}.${reason}.${randomUuid().slice(0, 8)}`);
  }

  #directoryOf(digest: ContentDigest): string {
    return join(this.#blobs, algorithmOf(digest), hexOf(digest).slice(0, 2));
  }
}

/** What tells one file from another that has taken its name. */
export interface FileIdentity {
  readonly ino: number;
  readonly ctimeMs: number;
}

function asStat(file: { readonly size: number; readonly ctimeMs: number }): BlobStat {
  // Renaming a file changes its ctime and not its mtime: this is when it became the blob.
  return { sizeBytes: file.size, modifiedAtMs: Math.ceil(file.ctimeMs) };
}

function unlessThere(error: unknown): void {
  if (errnoOf(error) !== 'EEXIST') throw error;
}

function absent(error: unknown): boolean {
  ignoreMissing(error);
  return false;
}
