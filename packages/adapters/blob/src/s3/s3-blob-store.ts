import { PassThrough, type Readable, pipeline } from 'node:stream';
import { SingleFlight } from '@vic/async';
import { describeError, isVicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import { type ContentDigest, type DigestAlgorithm, algorithmOf, hexOf, isContentDigest } from '@vic/oci';
import { blobDamaged, blobUnknown, rangeInvalid } from '../blob-errors.ts';
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
import { HashingStream } from '../hashing-stream.ts';
import { putBlob } from '../put-blob.ts';
import { VerifiedLately } from '../verified-lately.ts';
import { S3Bucket, type S3Location, type S3Object } from './s3-bucket.ts';
import { isChanged, s3Error } from './s3-errors.ts';
import { S3Uploads } from './s3-uploads.ts';

/** Options of {@link openS3BlobStore}. */
export interface S3BlobStoreOptions extends S3Location {
  readonly onDamage?: DamageListener;
}

/** A blob store in a bucket, which must be there. */
export function openS3BlobStore(options: S3BlobStoreOptions): BlobStore {
  return new S3BlobStore(new S3Bucket(options), options.onDamage ?? (() => undefined));
}

class S3BlobStore implements BlobStore {
  readonly #bucket: S3Bucket;
  readonly #uploads: S3Uploads;
  readonly #onDamage: DamageListener;
  readonly #verifiedLately = new VerifiedLately();
  readonly #verifications = new SingleFlight<BlobVerdict>();

  constructor(bucket: S3Bucket, onDamage: DamageListener) {
    this.#bucket = bucket;
    this.#uploads = new S3Uploads(bucket);
    this.#onDamage = onDamage;
  }

  async stat(digest: ContentDigest): Promise<BlobStat | undefined> {
    const found = await this.#bucket.head(keyOf(digest));
    return found === undefined ? undefined : { sizeBytes: found.sizeBytes, modifiedAtMs: found.modifiedAtMs };
  }

  async read(digest: ContentDigest, range?: ByteRange): Promise<Readable> {
    if (range !== undefined) await this.#requireRange(digest, range);
    const found = await this.#bucket.get(keyOf(digest), range);
    if (found === undefined) throw blobUnknown(digest);
    const checked =
      range === undefined && !this.#verifiedLately.has(digest, found.object.etag)
        ? this.#hashing(digest, found.object)
        : new PassThrough();
    return pipeline(found.content, checked, () => undefined);
  }

  async verify(digest: ContentDigest, signal?: AbortSignal): Promise<BlobVerdict> {
    // Whoever may stop it reads on its own, so that it stops nobody else's.
    return signal === undefined
      ? this.#verifications.run(digest, async () => this.#readAll(digest, undefined))
      : this.#readAll(digest, signal);
  }

  async remove(digest: ContentDigest, options: { readonly unlessModifiedSinceMs?: number } = {}): Promise<boolean> {
    const found = await this.#bucket.head(keyOf(digest));
    const { unlessModifiedSinceMs = Number.POSITIVE_INFINITY } = options;
    if (found === undefined || found.modifiedAtMs > unlessModifiedSinceMs) return false;
    await this.#bucket.delete(found.key);
    return true;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob, void, undefined> {
    for await (const { key, sizeBytes, modifiedAtMs } of this.#bucket.list('blobs/', signal)) {
      const [, algorithm, , hex] = key.split('/');
      const digest = `${algorithm}:${hex}`;
      if (isContentDigest(digest)) yield { digest, sizeBytes, modifiedAtMs };
    }
  }

  async createUpload(algorithm: DigestAlgorithm = 'sha256'): Promise<string> {
    return this.#uploads.create(algorithm);
  }

  async uploadSize(id: string): Promise<number> {
    return this.#uploads.sizeOf(id);
  }

  async append(id: string, offset: number, content: Readable, signal?: AbortSignal): Promise<number> {
    return this.#uploads.append(id, offset, content, signal);
  }

  async commit(id: string, digest: ContentDigest, signal?: AbortSignal): Promise<BlobStat> {
    try {
      return await this.#uploads.finish(id, { digest, signal, key: keyOf(digest) });
    } catch (error) {
      throw s3Error(error, this.#bucket.name);
    }
  }

  async cancelUpload(id: string): Promise<void> {
    await this.#uploads.cancel(id);
  }

  listUploads(signal?: AbortSignal): AsyncIterable<ListedUpload> {
    return this.#uploads.list(signal);
  }

  async put(digest: ContentDigest, content: Readable, signal?: AbortSignal): Promise<BlobStat> {
    return putBlob(this, digest, content, signal);
  }

  async check(): Promise<BlobStoreHealth> {
    const probe = `probe/${randomUuid()}`;
    try {
      await this.#bucket.put(probe, Buffer.from('x'));
      await this.#bucket.delete(probe);
      return { writable: true };
    } catch (error) {
      return { writable: false, reason: describeError(error) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bucket[Symbol.dispose]();
  }

  async #requireRange(digest: ContentDigest, range: ByteRange): Promise<void> {
    const found = await this.#bucket.head(keyOf(digest));
    if (found === undefined) throw blobUnknown(digest);
    const { start, end } = range;
    if (!(start >= 0 && start <= end && end < found.sizeBytes)) throw rangeInvalid(digest, range, found.sizeBytes);
    if (this.#verifiedLately.has(digest, found.etag)) return;
    if ((await this.verify(digest)) !== 'sound') throw blobDamaged(digest);
  }

  async #readAll(digest: ContentDigest, signal: AbortSignal | undefined): Promise<BlobVerdict> {
    try {
      for await (const _chunk of await this.read(digest)) signal?.throwIfAborted();
      return 'sound';
    } catch (error) {
      if (isVicError(error, { code: 'BLOB_DAMAGED' })) return 'damaged';
      if (isVicError(error, { code: 'BLOB_UNKNOWN' })) return 'missing';
      throw error;
    }
  }

  #hashing(digest: ContentDigest, object: S3Object): HashingStream {
    return new HashingStream({
      digest,
      sizeBytes: object.sizeBytes,
      onSound: () => this.#verifiedLately.add(digest, object.etag),
      onDamaged: async () => this.#quarantine(digest, object),
    });
  }

  /** Puts the object out of the way, unless it is another by now. */
  async #quarantine(digest: ContentDigest, object: S3Object): Promise<Error> {
    const quarantinedAs = `quarantine/${keyOf(digest).slice('blobs/'.length)}.${randomUuid().slice(0, 8)}`;
    try {
      await this.#bucket.copy(object, quarantinedAs, AbortSignal.timeout(QUARANTINE_TIMEOUT_MS));
      await this.#bucket.delete(object.key);
      this.#onDamage({ digest, quarantinedAs });
    } catch (error) {
      if (!isChanged(error)) throw s3Error(error, this.#bucket.name);
    }
    return blobDamaged(digest);
  }
}

const QUARANTINE_TIMEOUT_MS = 60_000;

function keyOf(digest: ContentDigest): string {
  const hex = hexOf(digest);
  return `blobs/${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}`;
}
