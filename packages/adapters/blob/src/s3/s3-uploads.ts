import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isVicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import { type ContentDigest, type DigestAlgorithm, algorithmOf, hexOf } from '@vic/oci';
import { hashFor } from '../blob-hash.ts';
import { digestMismatch } from '../blob-errors.ts';
import type { BlobStat, ListedUpload } from '../blob-store.ts';
import { OffsetConflict } from '../offset-conflict.ts';
import { readContent } from '../read-content.ts';
import { type UploadSession, UploadSessions, superseded } from '../upload-sessions.ts';
import { PartWriter } from './part-writer.ts';
import type { S3Bucket, S3Object } from './s3-bucket.ts';
import { isChanged } from './s3-errors.ts';
import { type UploadState, readUploadState, tailKey, uploadKeys } from './upload-state.ts';

const EMPTY = new Uint8Array();
const NEW: Omit<UploadState, 'modifiedAtMs'> = {
  uploadId: undefined,
  parts: [],
  tail: undefined,
  assembled: undefined,
  sizeBytes: 0,
};

/** What turns a finished upload into a blob. */
export interface S3Finish {
  readonly digest: ContentDigest;
  readonly signal: AbortSignal | undefined;
  /** Where the blob will be. */
  readonly key: string;
}

/**
 * Uploads as multipart uploads, with what is too small for a part beside them.
 *
 * A running hash is trusted together with the tags of the objects it was of: S3 refuses to put together or to copy
 * what has other tags, so that what another process wrote in between is never taken for what was hashed here.
 */
export class S3Uploads {
  readonly #bucket: S3Bucket;
  readonly #sessions = new UploadSessions<UploadState>();

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async create(algorithm: DigestAlgorithm): Promise<string> {
    const id = randomUuid();
    await this.#bucket.put(uploadKeys(id).state, EMPTY);
    this.#sessions.begin(id, algorithm, { ...NEW, modifiedAtMs: Date.now() });
    return id;
  }

  async sizeOf(id: string): Promise<number> {
    return (await readUploadState(this.#bucket, id)).sizeBytes;
  }

  async append(id: string, offset: number, content: Readable, signal: AbortSignal | undefined): Promise<number> {
    return this.#sessions.run(id, signal, async (ended) => {
      const before = await this.#stateAt(id, offset);
      const session = this.#sessions.get(id);
      const hashed = session?.hashedBytes === offset ? session : undefined;
      const writer = this.#writerFor(id, before);
      if (before.tail !== undefined) await writer.add(await this.#bytesOf(id, before.tail));
      try {
        await readContent(
          content,
          (bytes) => {
            note(hashed, bytes);
            return writer.add(bytes);
          },
          ended,
        );
      } catch (error) {
        await this.#keep(id, before, writer);
        throw error;
      }
      return this.#keep(id, before, writer);
    });
  }

  /** Verifies the content and makes it the object of a blob. */
  async finish(id: string, finish: S3Finish): Promise<BlobStat> {
    return this.#sessions.run(id, finish.signal, async (ended) => {
      if (this.#sessions.get(id) !== undefined) {
        try {
          return await this.#finish(id, finish, ended);
        } catch (error) {
          if (!isChanged(error)) throw error;
          this.#sessions.forget(id);
        }
      }
      try {
        return await this.#finish(id, finish, ended);
      } catch (error) {
        throw isChanged(error) ? superseded(id) : error;
      }
    });
  }

  async cancel(id: string): Promise<void> {
    await this.#sessions.run(id, undefined, async () => this.#discard(id, await readUploadState(this.#bucket, id)));
  }

  async *list(signal: AbortSignal | undefined): AsyncGenerator<ListedUpload, void, undefined> {
    for await (const { key } of this.#bucket.list('uploads/', signal)) {
      const [, id = ''] = /^uploads\/([^/]+)\/state$/.exec(key) ?? [];
      if (id === '') continue;
      const state = await readUploadState(this.#bucket, id).catch(unlessUnknown);
      if (state !== undefined) yield { id, sizeBytes: state.sizeBytes, modifiedAtMs: state.modifiedAtMs };
    }
  }

  /** The state to which bytes at `offset` can be added. */
  async #stateAt(id: string, offset: number): Promise<UploadState> {
    const known = this.#sessions.get(id)?.state;
    if (known?.sizeBytes === offset && known.assembled === undefined) return known;
    this.#sessions.forget(id);
    const state = await readUploadState(this.#bucket, id);
    if (state.assembled !== undefined) throw superseded(id);
    if (state.sizeBytes !== offset) throw new OffsetConflict(offset, state.sizeBytes);
    return state;
  }

  #writerFor(id: string, before: UploadState): PartWriter {
    const { data, state } = uploadKeys(id);
    const begin = async (): Promise<string> => {
      const uploadId = await this.#bucket.beginParts(data);
      await this.#bucket.put(state, Buffer.from(uploadId));
      return uploadId;
    };
    return new PartWriter({ bucket: this.#bucket, key: data, begin }, before);
  }

  /** Stores what the parts left over; gives the size of the upload. */
  async #keep(id: string, before: UploadState, writer: PartWriter): Promise<number> {
    try {
      const rest = await writer.finish();
      const { parts, uploadId, partBytes } = writer;
      const key = tailKey(id, partBytes);
      const same = before.tail?.key === key && before.tail.sizeBytes === rest.length;
      const tail = same ? before.tail : rest.length === 0 ? undefined : await this.#bucket.put(key, rest);
      if (before.tail !== undefined && before.tail.key !== key) await this.#bucket.delete(before.tail.key);
      const sizeBytes = partBytes + rest.length;
      const session = this.#sessions.get(id);
      if (session !== undefined) {
        session.state = { uploadId, parts, tail, assembled: undefined, sizeBytes, modifiedAtMs: Date.now() };
      }
      return sizeBytes;
    } catch (error) {
      this.#sessions.forget(id);
      throw error;
    }
  }

  async #finish(id: string, { digest, key }: S3Finish, signal: AbortSignal): Promise<BlobStat> {
    const session = this.#sessions.get(id);
    const state = session?.state ?? (await readUploadState(this.#bucket, id));
    const known = session?.algorithm === algorithmOf(digest) && session.hashedBytes === state.sizeBytes;
    if (known) await this.#requireDigest(id, state, { digest, hex: session.hash.copy().digest('hex') });
    const whole = await this.#assemble(id, state);
    if (!known) await this.#requireDigest(id, state, { digest, hex: await this.#hashOf(id, whole, digest) });
    await this.#bucket.copy(whole, key, signal);
    await this.#discard(id, state);
    return { sizeBytes: whole.sizeBytes, modifiedAtMs: Date.now() };
  }

  /** The one object that has the whole content. */
  async #assemble(id: string, state: UploadState): Promise<S3Object> {
    const { uploadId, parts, tail, assembled } = state;
    if (assembled !== undefined) return assembled;
    if (uploadId === undefined || parts.length === 0) {
      return tail ?? (await this.#bucket.put(tailKey(id, 0), EMPTY));
    }
    const { data } = uploadKeys(id);
    const last =
      tail === undefined
        ? []
        : [await this.#bucket.putPart(data, uploadId, parts.length + 1, await this.#bytesOf(id, tail))];
    return this.#bucket.completeParts(data, uploadId, [...parts, ...last]);
  }

  async #requireDigest(
    id: string,
    state: UploadState,
    { digest, hex }: { readonly digest: ContentDigest; readonly hex: string },
  ): Promise<void> {
    if (hex === hexOf(digest)) return;
    await this.#discard(id, state);
    throw digestMismatch(digest, hex);
  }

  async #hashOf(id: string, { key, etag }: S3Object, digest: ContentDigest): Promise<string> {
    const found = await this.#bucket.get(key);
    if (found === undefined || found.object.etag !== etag) throw superseded(id);
    const hash = hashFor(digest);
    for await (const chunk of found.content) hash.update(chunk as Uint8Array);
    return hash.digest('hex');
  }

  async #bytesOf(id: string, { key, etag }: S3Object): Promise<Uint8Array> {
    const found = await this.#bucket.get(key);
    if (found === undefined || found.object.etag !== etag) throw superseded(id);
    return buffer(found.content);
  }

  /** Removes everything of the upload, the object that makes it known last. */
  async #discard(id: string, { uploadId }: UploadState): Promise<void> {
    this.#sessions.forget(id);
    const { all, data, state } = uploadKeys(id);
    if (uploadId !== undefined) await this.#bucket.abortParts(data, uploadId);
    for await (const { key } of this.#bucket.list(all)) if (key !== state) await this.#bucket.delete(key);
    await this.#bucket.delete(state);
  }
}

function note(session: UploadSession<UploadState> | undefined, bytes: Uint8Array): void {
  if (session === undefined) return;
  session.hash.update(bytes);
  session.hashedBytes += bytes.length;
}

function unlessUnknown(error: unknown): undefined {
  if (isVicError(error, { code: 'BLOB_UPLOAD_UNKNOWN' })) return undefined;
  throw error;
}
