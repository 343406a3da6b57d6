import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { isMissing, s3Error } from './s3-errors.ts';

/** Where the bucket is, and who asks. */
export interface S3Location {
  readonly bucket: string;
  readonly region: string;
  /** Put before every key, `registry/` for example; nothing by default. */
  readonly prefix?: string;
  /** Of a store that is not Amazon's. */
  readonly endpoint?: string;
  /** The bucket is named in the path rather than in the host's name; as most stores with an `endpoint` need it. */
  readonly pathStyle?: boolean;
  /** What the environment, the instance or the profile gives when absent, as for Amazon's own tools. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** An object as the store knows it. */
export interface S3Object {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

/** A part that was stored. */
export interface S3Part {
  readonly number: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

/** One copy takes at most 5 GiB. */
const MAX_COPY_BYTES = 5 * 2 ** 30;
const COPY_PART_BYTES = 2 ** 30;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;
/** Every upload and download under way has a connection. */
const MAX_CONNECTIONS = 512;

/** The objects of a bucket below a prefix. */
export class S3Bucket implements Disposable {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(location: S3Location) {
    const { bucket, region, prefix = '', endpoint, credentials } = location;
    const { pathStyle = endpoint !== undefined } = location;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      region,
      // Content is verified by its digest, which also decides what becomes of it.
      responseChecksumValidation: 'WHEN_REQUIRED',
      forcePathStyle: pathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: IDLE_TIMEOUT_MS,
        httpAgent: { maxSockets: MAX_CONNECTIONS },
        httpsAgent: { maxSockets: MAX_CONNECTIONS },
      },
    });
  }

  get name(): string {
    return this.#bucket;
  }

  async head(key: string): Promise<S3Object | undefined> {
    const found = await this.#unlessMissing(this.#client.send(new HeadObjectCommand(this.#place(key))));
    return found === undefined ? undefined : objectOf(key, found.ContentLength, found.ETag, found.LastModified);
  }

  /** The object and its content; with `range`, that part of it. */
  async get(
    key: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<{ readonly object: S3Object; readonly content: Readable } | undefined> {
    const found = await this.#unlessMissing(
      this.#client.send(
        new GetObjectCommand({
          ...this.#place(key),
          ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
        }),
      ),
    );
    if (found?.Body === undefined) return undefined;
    const object = objectOf(key, found.ContentLength, found.ETag, found.LastModified);
    return { object, content: found.Body as Readable };
  }

  async put(key: string, content: Uint8Array): Promise<S3Object> {
    const { ETag } = await this.#send(
      this.#client.send(new PutObjectCommand({ ...this.#place(key), Body: content, ContentLength: content.length })),
    );
    return objectOf(key, content.length, ETag, new Date());
  }

  async delete(key: string): Promise<void> {
    await this.#unlessMissing(this.#client.send(new DeleteObjectCommand(this.#place(key))));
  }

  /** Copies inside the store; fails, for `isChanged`, when the source is no longer what it was. */
  async copy(source: S3Object, target: string, signal: AbortSignal): Promise<void> {
    if (source.sizeBytes > MAX_COPY_BYTES) return this.#copyInParts(source, target, signal);
    await this.#client.send(
      new CopyObjectCommand({
        ...this.#place(target),
        CopySource: this.#sourceOf(source.key),
        CopySourceIfMatch: source.etag,
      }),
      { abortSignal: signal },
    );
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<S3Object, void, undefined> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: `${this.#prefix}${prefix}` },
    );
    try {
      for await (const { Contents = [] } of pages) {
        signal?.throwIfAborted();
        for (const { Key = '', Size, ETag, LastModified } of Contents) {
          yield objectOf(Key.slice(this.#prefix.length), Size, ETag, LastModified);
        }
      }
    } catch (error) {
      throw s3Error(error, this.#bucket);
    }
  }

  async beginParts(key: string): Promise<string> {
    const { UploadId = '' } = await this.#send(this.#client.send(new CreateMultipartUploadCommand(this.#place(key))));
    return UploadId;
  }

  async putPart(key: string, uploadId: string, number: number, content: Uint8Array): Promise<S3Part> {
    const { ETag = '' } = await this.#send(
      this.#client.send(
        new UploadPartCommand({
          ...this.#place(key),
          UploadId: uploadId,
          PartNumber: number,
          Body: content,
          ContentLength: content.length,
        }),
      ),
    );
    return { number, sizeBytes: content.length, etag: ETag, modifiedAtMs: Date.now() };
  }

  /** The parts in their order; nothing when the upload is complete, aborted or never began. */
  async listParts(key: string, uploadId: string): Promise<readonly S3Part[] | undefined> {
    const parts: S3Part[] = [];
    for (let marker: string | undefined = '0'; marker !== undefined;) {
      const page: ListPartsCommandOutput | undefined = await this.#unlessMissing(
        this.#client.send(new ListPartsCommand({ ...this.#place(key), UploadId: uploadId, PartNumberMarker: marker })),
      );
      if (page === undefined) return undefined;
      for (const { PartNumber = 0, Size = 0, ETag = '', LastModified } of page.Parts ?? []) {
        parts.push({ number: PartNumber, sizeBytes: Size, etag: ETag, modifiedAtMs: LastModified?.getTime() ?? 0 });
      }
      // The marker may be given after the last page, too, which is why the SDK's paginator would never end.
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    }
    return parts;
  }

  /** Makes the object of the parts; fails, for `isChanged`, when one of them is no longer what it was. */
  async completeParts(key: string, uploadId: string, parts: readonly S3Part[]): Promise<S3Object> {
    const { ETag } = await this.#client.send(
      new CompleteMultipartUploadCommand({
        ...this.#place(key),
        UploadId: uploadId,
        MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
      }),
    );
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    return objectOf(key, sizeBytes, ETag, new Date());
  }

  async abortParts(key: string, uploadId: string): Promise<void> {
    await this.#unlessMissing(
      this.#client.send(new AbortMultipartUploadCommand({ ...this.#place(key), UploadId: uploadId })),
    );
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  async #copyInParts(source: S3Object, target: string, signal: AbortSignal): Promise<void> {
    const uploadId = await this.beginParts(target);
    try {
      const parts: S3Part[] = [];
      for (let start = 0; start < source.sizeBytes; start += COPY_PART_BYTES) {
        const end = Math.min(start + COPY_PART_BYTES, source.sizeBytes) - 1;
        const number = parts.length + 1;
        const { CopyPartResult } = await this.#client.send(
          new UploadPartCopyCommand({
            ...this.#place(target),
            UploadId: uploadId,
            PartNumber: number,
            CopySource: this.#sourceOf(source.key),
            CopySourceIfMatch: source.etag,
            CopySourceRange: `bytes=${start}-${end}`,
          }),
          { abortSignal: signal },
        );
        const etag = CopyPartResult?.ETag ?? '';
        parts.push({ number, sizeBytes: end - start + 1, etag, modifiedAtMs: Date.now() });
      }
      await this.completeParts(target, uploadId, parts);
    } catch (error) {
      await this.abortParts(target, uploadId).catch(() => undefined);
      throw error;
    }
  }

  #place(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${key}` };
  }

  #sourceOf(key: string): string {
    return `${this.#bucket}/${encodeURIComponent(`${this.#prefix}${key}`).replaceAll('%2F', '/')}`;
  }

  async #send<T>(request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      throw s3Error(error, this.#bucket);
    }
  }

  async #unlessMissing<T>(request: Promise<T>): Promise<T | undefined> {
    try {
      return await request;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw s3Error(error, this.#bucket);
    }
  }
}

function objectOf(
  key: string,
  sizeBytes: number | undefined,
  etag: string | undefined,
  modified: Date | undefined,
): S3Object {
  // Times are whole seconds; the end of the second keeps "modified since" on the safe side.
  return { key, sizeBytes: sizeBytes ?? 0, etag: etag ?? '', modifiedAtMs: (modified?.getTime() ?? 0) + 999 };
}
