import type { Readable } from 'node:stream';
import type { ContentDigest, DigestAlgorithm } from '@vic/oci';

/** A blob as the store knows it. */
export interface BlobStat {
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** A blob in a list. */
export interface ListedBlob extends BlobStat {
  readonly digest: ContentDigest;
}

/** An upload that has begun and was neither committed nor cancelled. */
export interface ListedUpload {
  readonly id: string;
  readonly sizeBytes: number;
  /** When bytes last arrived. */
  readonly modifiedAtMs: number;
}

/** The bytes from `start` up to and including `end`, as in HTTP; both must be inside the blob. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Whether the store can be used at present. */
export interface BlobStoreHealth {
  readonly writable: boolean;
  /** Absent when the store has no limit of its own. */
  readonly freeBytes?: number;
  readonly totalBytes?: number;
  /** Why it cannot be used. */
  readonly reason?: string;
}

/** What became of a blob that was read in full to see whether its content has the digest it is named by. */
export type BlobVerdict = 'sound' | 'damaged' | 'missing';

/**
 * Blobs by digest and uploads on their way to become one.
 *
 * Several processes may share one store. What {@link commit} and {@link put} acknowledge is durable and has the
 * digest it is named by; nothing else ever appears under a digest.
 */
export interface BlobStore extends AsyncDisposable {
  stat(digest: ContentDigest): Promise<BlobStat | undefined>;

  /**
   * The content. A blob that is not there is `NotFound` (`BLOB_UNKNOWN`), a range outside of it `InvalidArgument`
   * (`BLOB_RANGE_INVALID`).
   *
   * The content is hashed as it streams, unless this process has hashed the same, unchanged object within the last
   * minutes: when it turns out to be damaged the stream fails with `DataLoss` (`BLOB_DAMAGED`) before its last byte,
   * and the blob is quarantined. For a range, the blob is hashed as a whole first.
   */
  read(digest: ContentDigest, range?: ByteRange): Promise<Readable>;

  /**
   * Removes a blob; one that is not there, or that was stored again after `unlessModifiedSinceMs`, is left.
   * Gives whether something was removed.
   */
  remove(digest: ContentDigest, options?: { readonly unlessModifiedSinceMs?: number }): Promise<boolean>;

  /** Every blob, in no order; blobs that come or go meanwhile may be missed. */
  list(signal?: AbortSignal): AsyncIterable<ListedBlob>;

  /** Reads the blob in full; a damaged one is quarantined. */
  verify(digest: ContentDigest, signal?: AbortSignal): Promise<BlobVerdict>;

  /** Begins an upload; gives its id. Any process may go on with it. `algorithm` is what it will likely be named by. */
  createUpload(algorithm?: DigestAlgorithm): Promise<string>;

  /** How many bytes of the upload have arrived; `NotFound` (`BLOB_UPLOAD_UNKNOWN`) when there is no such upload. */
  uploadSize(id: string): Promise<number>;

  /**
   * Adds to an upload; gives its new size. An `offset` that is not its size is {@link OffsetConflict}. What arrived
   * before `content` failed or `signal` fired stays, so that a client can resume. A second append to the same upload
   * ends the first, whose client is taken to have gone. When the store fails, `content` is left undestroyed, so that
   * its sender can be answered.
   */
  append(id: string, offset: number, content: Readable, signal?: AbortSignal): Promise<number>;

  /**
   * Makes the upload the blob of that digest; gives its size. Content with another digest is `InvalidArgument`
   * (`BLOB_DIGEST_MISMATCH`) and ends the upload. A blob that is there already stays, refreshed.
   */
  commit(id: string, digest: ContentDigest, signal?: AbortSignal): Promise<BlobStat>;

  /** Ends an upload; `NotFound` when there is no such upload. */
  cancelUpload(id: string): Promise<void>;

  listUploads(signal?: AbortSignal): AsyncIterable<ListedUpload>;

  /** Stores a blob in one step. */
  put(digest: ContentDigest, content: Readable, signal?: AbortSignal): Promise<BlobStat>;

  check(signal?: AbortSignal): Promise<BlobStoreHealth>;
}

/** Told of every blob that was found damaged and moved out of the way. */
export type DamageListener = (damage: { readonly digest: ContentDigest; readonly quarantinedAs: string }) => void;
