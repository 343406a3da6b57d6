import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { SingleFlight } from '@vic/async';
import { isVicError } from '@vic/errors';
import { type ContentDigest, hexOf } from '@vic/oci';
import { hashFor } from '../blob-hash.ts';
import { blobDamaged, blobUnknown, rangeInvalid } from '../blob-errors.ts';
import type { BlobVerdict, ByteRange, DamageListener } from '../blob-store.ts';
import { VerifiedLately } from '../verified-lately.ts';
import type { BlobFiles } from './blob-files.ts';
import { FileReader, FileTooShort } from './file-reader.ts';
import { errnoOf } from './storage-error.ts';
import { ignoreMissing } from './upload-files.ts';

/** A change within the resolution of a file's times could not be told from none: younger files are not trusted. */
const SETTLED_MS = 50;

interface OpenBlob {
  readonly digest: ContentDigest;
  readonly file: FileHandle;
  readonly sizeBytes: number;
  readonly ino: number;
  readonly ctimeMs: number;
}

/** Reads blobs such that damaged content is noticed before it is handed out whole, and quarantined. */
export class VerifiedReader {
  readonly #files: BlobFiles;
  readonly #onDamage: DamageListener;
  readonly #verifiedLately = new VerifiedLately();
  readonly #verifications = new SingleFlight<BlobVerdict>();

  constructor(files: BlobFiles, onDamage: DamageListener) {
    this.#files = files;
    this.#onDamage = onDamage;
  }

  /** The blob, or a part of it. */
  async read(digest: ContentDigest, range: ByteRange | undefined): Promise<Readable> {
    const blob = await this.#open(digest);
    if (blob === undefined) throw blobUnknown(digest);
    if (range === undefined) return this.#isTrusted(blob) ? asItIs(blob) : this.#whole(blob);
    try {
      await this.#requireRange(blob, range);
    } catch (error) {
      await blob.file.close();
      throw error;
    }
    return new FileReader(blob.file, { start: range.start, end: range.end + 1 });
  }

  /** Reads the blob in full; shared by all who ask at the same time. */
  async verify(digest: ContentDigest, signal?: AbortSignal): Promise<BlobVerdict> {
    // Whoever may stop it reads on its own, so that it stops nobody else's.
    return signal === undefined
      ? this.#verifications.run(digest, async () => this.#readAll(digest, undefined))
      : this.#readAll(digest, signal);
  }

  /** Remembers a blob as hashed, because it just was while it was written. */
  async noteWritten(digest: ContentDigest): Promise<void> {
    const blob = await this.#open(digest);
    if (blob === undefined) return;
    await blob.file.close();
    this.#verifiedLately.add(digest, identityOf(blob));
  }

  async #readAll(digest: ContentDigest, signal: AbortSignal | undefined): Promise<BlobVerdict> {
    const blob = await this.#open(digest);
    if (blob === undefined) return 'missing';
    try {
      for await (const _chunk of this.#whole(blob)) signal?.throwIfAborted();
      return 'sound';
    } catch (error) {
      if (isVicError(error, { code: 'BLOB_DAMAGED' })) return 'damaged';
      throw error;
    }
  }

  async #open(digest: ContentDigest): Promise<OpenBlob | undefined> {
    const file = await open(this.#files.pathOf(digest), 'r').catch(ignoreMissing);
    if (file === undefined) return undefined;
    try {
      const { size, ino, ctimeMs } = await file.stat();
      return { digest, file, sizeBytes: size, ino, ctimeMs };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #whole(blob: OpenBlob): Readable {
    const hash = hashFor(blob.digest);
    return new FileReader(
      blob.file,
      { start: 0, end: blob.sizeBytes },
      {
        update: (bytes) => void hash.update(bytes),
        beforeLast: async () => {
          if (hash.digest('hex') !== hexOf(blob.digest)) throw await this.#damaged(blob);
          if (Date.now() - blob.ctimeMs > SETTLED_MS) this.#verifiedLately.add(blob.digest, identityOf(blob));
        },
        failure: async (error) =>
          errnoOf(error) === 'EIO' || error instanceof FileTooShort ? this.#damaged(blob) : error,
      },
    );
  }

  async #requireRange(blob: OpenBlob, range: ByteRange): Promise<void> {
    const { start, end } = range;
    if (!(start >= 0 && start <= end && end < blob.sizeBytes)) throw rangeInvalid(blob.digest, range, blob.sizeBytes);
    if (this.#isTrusted(blob)) return;
    if ((await this.verify(blob.digest)) !== 'sound') throw blobDamaged(blob.digest);
  }

  #isTrusted(blob: OpenBlob): boolean {
    return this.#verifiedLately.has(blob.digest, identityOf(blob));
  }

  async #damaged(blob: OpenBlob): Promise<Error> {
    const quarantinedAs = await this.#files.quarantine(blob.digest, ({ ino }) => ino === blob.ino);
    if (quarantinedAs !== undefined) this.#onDamage({ digest: blob.digest, quarantinedAs });
    return blobDamaged(blob.digest);
  }
}

function asItIs({ file, sizeBytes }: OpenBlob): Readable {
  return new FileReader(file, { start: 0, end: sizeBytes });
}

function identityOf({ ino, ctimeMs, sizeBytes }: OpenBlob): string {
  return `${ino}/${ctimeMs}/${sizeBytes}`;
}
