import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describeError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { ContentDigest, DigestAlgorithm } from '@vic/oci';
import type {
  BlobStat,
  BlobStore,
  BlobStoreHealth,
  BlobVerdict,
  ByteRange,
  DamageListener,
  ListedBlob,
  ListedUpload,
} from '../blob-store.ts';
import { putBlob } from '../put-blob.ts';
import { BlobFiles } from './blob-files.ts';
import { FsUploads } from './fs-uploads.ts';
import { storageError } from './storage-error.ts';
import { UploadFiles } from './upload-files.ts';
import { VerifiedReader } from './verified-reader.ts';

/** Options of {@link openFsBlobStore}. */
export interface FsBlobStoreOptions {
  readonly directory: string;
  /** Uploads are refused when less than this is left, for the sake of what shares the disk. */
  readonly reserveBytes?: number;
  readonly onDamage?: DamageListener;
}

/** A blob store on a directory, which is made when it is not there. */
export async function openFsBlobStore(options: FsBlobStoreOptions): Promise<BlobStore> {
  const { directory, reserveBytes = 0, onDamage = () => undefined } = options;
  const blobs = new BlobFiles(directory);
  const files = new UploadFiles(join(directory, 'uploads'));
  try {
    await mkdir(files.directory, { recursive: true, mode: 0o700 });
    await blobs.prepare();
  } catch (error) {
    throw storageError(error, directory);
  }
  const uploads = new FsUploads({ directory, files, reserveBytes });
  return new FsBlobStore({ directory, blobs, uploads, reader: new VerifiedReader(blobs, onDamage) });
}

interface Parts {
  readonly directory: string;
  readonly blobs: BlobFiles;
  readonly uploads: FsUploads;
  readonly reader: VerifiedReader;
}

class FsBlobStore implements BlobStore {
  readonly #directory: string;
  readonly #blobs: BlobFiles;
  readonly #uploads: FsUploads;
  readonly #reader: VerifiedReader;

  constructor(parts: Parts) {
    this.#directory = parts.directory;
    this.#blobs = parts.blobs;
    this.#uploads = parts.uploads;
    this.#reader = parts.reader;
  }

  async stat(digest: ContentDigest): Promise<BlobStat | undefined> {
    return this.#blobs.stat(digest);
  }

  async read(digest: ContentDigest, range?: ByteRange): Promise<Readable> {
    return this.#reader.read(digest, range);
  }

  async verify(digest: ContentDigest, signal?: AbortSignal): Promise<BlobVerdict> {
    return this.#reader.verify(digest, signal);
  }

  async remove(digest: ContentDigest, options: { readonly unlessModifiedSinceMs?: number } = {}): Promise<boolean> {
    const { unlessModifiedSinceMs } = options;
    if (unlessModifiedSinceMs === undefined) return this.#blobs.remove(digest);
    return this.#blobs.removeIf(digest, ({ ctimeMs }) => ctimeMs <= unlessModifiedSinceMs);
  }

  list(signal?: AbortSignal): AsyncIterable<ListedBlob> {
    return this.#blobs.list(signal);
  }

  async createUpload(algorithm: DigestAlgorithm = 'sha256'): Promise<string> {
    return this.#storing(async () => this.#uploads.create(algorithm));
  }

  async uploadSize(id: string): Promise<number> {
    return this.#uploads.sizeOf(id);
  }

  async append(id: string, offset: number, content: Readable, signal?: AbortSignal): Promise<number> {
    return this.#storing(async () => this.#uploads.append(id, offset, content, signal));
  }

  async commit(id: string, digest: ContentDigest, signal?: AbortSignal): Promise<BlobStat> {
    return this.#storing(async () => {
      const stat = await this.#uploads.finish(id, digest, {
        signal,
        adopt: async (path) => this.#blobs.adopt(path, digest),
      });
      await this.#reader.noteWritten(digest);
      return stat;
    });
  }

  async cancelUpload(id: string): Promise<void> {
    await this.#uploads.cancel(id);
  }

  listUploads(): AsyncIterable<ListedUpload> {
    return this.#uploads.list();
  }

  async put(digest: ContentDigest, content: Readable, signal?: AbortSignal): Promise<BlobStat> {
    return putBlob(this, digest, content, signal);
  }

  async check(): Promise<BlobStoreHealth> {
    const probe = join(this.#directory, `probe.${randomUuid().slice(0, 8)}`);
    try {
      const { bavail, blocks, bsize } = await statfs(this.#directory);
      const room = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
      return await writeFile(probe, 'x', { mode: 0o600 }).then(
        () => ({ writable: true, ...room }),
        (error: unknown) => ({ writable: false, reason: this.#reasonOf(error), ...room }),
      );
    } catch (error) {
      return { writable: false, reason: this.#reasonOf(error) };
    } finally {
      await rm(probe, { force: true }).catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held between operations; what is under way belongs to its callers.
  }

  async #storing<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw storageError(error, this.#directory);
    }
  }

  #reasonOf(error: unknown): string {
    return describeError(storageError(error, this.#directory));
  }
}
