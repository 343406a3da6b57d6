import { open, rm, statfs } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type ContentDigest, type DigestAlgorithm, algorithmOf, hexOf } from '@vic/oci';
import { hashFor } from '../blob-hash.ts';
import { digestMismatch } from '../blob-errors.ts';
import type { BlobStat, ListedUpload } from '../blob-store.ts';
import { OffsetConflict } from '../offset-conflict.ts';
import { UploadSessions } from '../upload-sessions.ts';
import { FileReader } from './file-reader.ts';
import { storeFull } from './storage-error.ts';
import type { ClaimedUpload, UploadFiles } from './upload-files.ts';
import { type ContentListener, writeContent } from './write-content.ts';

/** What {@link FsUploads} works on. */
export interface FsUploadsParts {
  /** Named in errors. */
  readonly directory: string;
  readonly files: UploadFiles;
  readonly reserveBytes: number;
}

/** What turns a finished upload into a blob. */
export interface Finish {
  readonly signal: AbortSignal | undefined;
  /** Takes the file, whose content is verified and durable. */
  readonly adopt: (path: string) => Promise<void>;
}

/** Uploads as files that grow. */
export class FsUploads {
  readonly #directory: string;
  readonly #files: UploadFiles;
  readonly #reserveBytes: number;
  readonly #sessions = new UploadSessions();

  constructor({ directory, files, reserveBytes }: FsUploadsParts) {
    this.#directory = directory;
    this.#files = files;
    this.#reserveBytes = reserveBytes;
  }

  async create(algorithm: DigestAlgorithm): Promise<string> {
    const { id } = await this.#files.create();
    this.#sessions.begin(id, algorithm, undefined);
    return id;
  }

  async sizeOf(id: string): Promise<number> {
    return this.#files.sizeOf(id);
  }

  async append(id: string, offset: number, content: Readable, signal: AbortSignal | undefined): Promise<number> {
    return this.#sessions.run(id, signal, async (ended) => {
      const upload = await this.#claim(id);
      if (upload.sizeBytes !== offset) throw new OffsetConflict(offset, upload.sizeBytes);
      await this.#requireRoom();
      await using file = await open(upload.path, 'r+');
      return await writeContent(file, offset, content, { listener: this.#listenerOf(id, offset), signal: ended });
    });
  }

  /** Verifies the content, makes it durable and gives it away. */
  async finish(id: string, digest: ContentDigest, { signal, adopt }: Finish): Promise<BlobStat> {
    return this.#sessions.run(id, signal, async (ended) => {
      const upload = await this.#claim(id);
      if (this.#sessions.get(id) === undefined) await this.#finishCopy(upload, { digest, signal: ended, adopt });
      else await this.#finishInPlace(id, upload, { digest, signal: ended, adopt });
      this.#sessions.forget(id);
      return { sizeBytes: upload.sizeBytes, modifiedAtMs: Date.now() };
    });
  }

  async cancel(id: string): Promise<void> {
    await this.#sessions.run(id, undefined, async () => {
      this.#sessions.forget(id);
      await this.#files.remove(id);
    });
  }

  list(): AsyncIterable<ListedUpload> {
    return this.#files.list();
  }

  async #claim(id: string): Promise<ClaimedUpload> {
    const upload = await this.#files.claim(id);
    if (upload.takenOver) this.#sessions.forget(id);
    return upload;
  }

  async #finishInPlace(id: string, { path, sizeBytes }: ClaimedUpload, finish: VerifiedFinish): Promise<void> {
    const { digest, signal, adopt } = finish;
    {
      await using file = await open(path, 'r+');
      const session = this.#sessions.get(id);
      const known = session?.algorithm === algorithmOf(digest) && session.hashedBytes === sizeBytes;
      const hex = known ? session.hash.copy().digest('hex') : await hashFile(path, digest, { sizeBytes, signal });
      await this.#requireDigest(hex, digest, path);
      await file.datasync();
    }
    await adopt(path);
  }

  /**
   * An upload that another process wrote to is copied: that process may have it open still, and nothing may be
   * written to a blob.
   */
  async #finishCopy({ path, sizeBytes }: ClaimedUpload, finish: VerifiedFinish): Promise<void> {
    const { digest, signal, adopt } = finish;
    const copy = await this.#files.create();
    try {
      {
        await using file = await open(copy.path, 'r+');
        const hash = hashFor(digest);
        const content = new FileReader(await open(path, 'r'), { start: 0, end: sizeBytes });
        await writeContent(file, 0, content, { listener: hash, signal });
        await this.#requireDigest(hash.digest('hex'), digest, path);
        await file.datasync();
      }
      await adopt(copy.path);
      await rm(path, { force: true });
    } finally {
      await rm(copy.path, { force: true });
    }
  }

  async #requireDigest(hex: string, digest: ContentDigest, path: string): Promise<void> {
    if (hex === hexOf(digest)) return;
    await rm(path, { force: true });
    throw digestMismatch(digest, hex);
  }

  /** Goes on with the running hash if it has seen every byte so far. */
  #listenerOf(id: string, offset: number): ContentListener | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || session.hashedBytes !== offset) return undefined;
    return {
      update: (bytes) => {
        session.hash.update(bytes);
        session.hashedBytes += bytes.length;
      },
    };
  }

  async #requireRoom(): Promise<void> {
    if (this.#reserveBytes === 0) return;
    const { bavail, bsize } = await statfs(this.#directory);
    if (bavail * bsize < this.#reserveBytes) throw storeFull(this.#directory);
  }
}

interface VerifiedFinish extends Omit<Finish, 'signal'> {
  readonly digest: ContentDigest;
  readonly signal: AbortSignal;
}

async function hashFile(
  path: string,
  digest: ContentDigest,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<string> {
  const hash = hashFor(digest);
  for await (const chunk of new FileReader(await open(path, 'r'), { start: 0, end: sizeBytes })) {
    signal.throwIfAborted();
    hash.update(chunk as Uint8Array);
  }
  return hash.digest('hex');
}
