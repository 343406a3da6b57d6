import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';

/** An error as S3 answers it. */
export class FakeS3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A request to the one bucket. */
export interface FakeS3Request {
  readonly method: string;
  /** The parameter that names what is asked for: `uploads`, `uploadId`, `list-type`, or `object`. */
  readonly operation: 'uploads' | 'uploadId' | 'list-type' | 'object';
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What to answer. */
export interface FakeS3Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly content?: string | Uint8Array;
}

/** Reads a request, and refuses what S3 would refuse whatever the state of the bucket. */
export function fakeS3Request(request: IncomingMessage, body: Buffer, bucket: string): FakeS3Request {
  const url = new URL(request.url ?? '', 'http://s3');
  const [, name, ...rest] = url.pathname.split('/').map((part) => decodeURIComponent(part));
  if (name !== bucket) throw new FakeS3Error(404, 'NoSuchBucket', String(name));
  if (request.headers['content-length'] === undefined && request.method === 'PUT') {
    throw new FakeS3Error(411, 'MissingContentLength', 'a PUT needs its length');
  }
  const checksum = request.headers['x-amz-checksum-crc32'];
  if (checksum !== undefined && checksum !== crc32Base64(body)) {
    throw new FakeS3Error(400, 'BadDigest', 'the checksum is not that of the content');
  }
  const operation = (['uploads', 'uploadId', 'list-type'] as const).find((parameter) =>
    url.searchParams.has(parameter),
  );
  return {
    method: request.method ?? '',
    operation: operation ?? 'object',
    key: rest.join('/'),
    query: url.searchParams,
    headers: request.headers,
    body,
  };
}

function crc32Base64(content: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(content));
  return bytes.toString('base64');
}
