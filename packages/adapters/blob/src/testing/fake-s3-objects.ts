import { createHash, randomUUID } from 'node:crypto';
import { type FakeS3Answer, FakeS3Error, type FakeS3Request } from './fake-s3-request.ts';

const MIN_PART_BYTES = 5 * 2 ** 20;
/** Small, so that every list has pages. */
const PAGE_SIZE = 7;

interface StoredObject {
  content: Buffer;
  readonly etag: string;
  readonly modified: Date;
}

interface MultipartUpload {
  readonly key: string;
  readonly parts: Map<number, StoredObject>;
}

/** The objects and multipart uploads of a bucket. */
export class FakeS3Objects {
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, MultipartUpload>();

  /** The content of an object, to be changed by a test. */
  contentOf(key: string): Buffer {
    return this.#get(key).content;
  }

  /** The keys of all objects, and of multipart uploads that have not ended. */
  get left(): readonly string[] {
    return [...this.#objects.keys(), ...[...this.#uploads.values()].map(({ key }) => `${key}?uploads`)].toSorted();
  }

  handle(request: FakeS3Request): FakeS3Answer {
    switch (`${request.method} ${request.operation}`) {
      case 'GET list-type':
        return this.#list(request);
      case 'GET object':
      case 'HEAD object':
        return this.#read(request);
      case 'PUT object':
        return this.#put(request);
      case 'DELETE object':
        this.#objects.delete(request.key);
        return { status: 204 };
      case 'POST uploads':
        return this.#begin(request);
      case 'PUT uploadId':
        return this.#putPart(request);
      case 'GET uploadId':
        return this.#listParts(request);
      case 'POST uploadId':
        return this.#complete(request);
      case 'DELETE uploadId':
        this.#uploadOf(request);
        this.#uploads.delete(request.query.get('uploadId') ?? '');
        return { status: 204 };
      default:
        throw new FakeS3Error(501, 'NotImplemented', `${request.method} ${request.operation}`);
    }
  }

  #read({ key, headers }: FakeS3Request): FakeS3Answer {
    const { content, etag, modified } = this.#get(key);
    const about = { etag, 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes' };
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    if (range === null) return { headers: { ...about, 'content-length': content.length }, content };
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)];
    if (start > end) throw new FakeS3Error(416, 'InvalidRange', headers.range ?? '');
    const part = content.subarray(start, end + 1);
    return {
      status: 206,
      headers: { ...about, 'content-length': part.length, 'content-range': `bytes ${start}-${end}/${content.length}` },
      content: part,
    };
  }

  #put(request: FakeS3Request): FakeS3Answer {
    const source = this.#copySource(request);
    const object = stored(source ?? request.body);
    this.#objects.set(request.key, object);
    if (source === undefined) return { headers: { etag: object.etag } };
    return { content: `<CopyObjectResult><ETag>${quoted(object.etag)}</ETag></CopyObjectResult>` };
  }

  #copySource({ headers }: FakeS3Request): Buffer | undefined {
    const source = headers['x-amz-copy-source'];
    if (typeof source !== 'string') return undefined;
    const key = decodeURIComponent(source).replace(/^\/?[^/]+\//, '');
    const { content, etag } = this.#get(key);
    const wanted = headers['x-amz-copy-source-if-match'];
    if (wanted !== undefined && wanted !== etag) throw new FakeS3Error(412, 'PreconditionFailed', key);
    return Buffer.from(content);
  }

  #list({ query }: FakeS3Request): FakeS3Answer {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
    const page = keys.slice(0, PAGE_SIZE);
    const contents = page.map((key) => {
      const { content, etag, modified } = this.#get(key);
      return (
        `<Contents><Key>${key}</Key><Size>${content.length}</Size><ETag>${quoted(etag)}</ETag>` +
        `<LastModified>${modified.toISOString()}</LastModified></Contents>`
      );
    });
    const next = keys.length > page.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    return {
      content:
        `<ListBucketResult><IsTruncated>${next !== ''}</IsTruncated><KeyCount>${page.length}</KeyCount>` +
        `${contents.join('')}${next}</ListBucketResult>`,
    };
  }

  #begin({ key }: FakeS3Request): FakeS3Answer {
    const uploadId = randomUUID();
    this.#uploads.set(uploadId, { key, parts: new Map() });
    return {
      content: `<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`,
    };
  }

  #putPart(request: FakeS3Request): FakeS3Answer {
    const number = Number(request.query.get('partNumber'));
    if (!(number >= 1 && number <= 10_000)) throw new FakeS3Error(400, 'InvalidArgument', 'partNumber');
    const part = stored(request.body);
    this.#uploadOf(request).parts.set(number, part);
    return { headers: { etag: part.etag } };
  }

  #listParts(request: FakeS3Request): FakeS3Answer {
    const { parts } = this.#uploadOf(request);
    const after = Number(request.query.get('part-number-marker') ?? 0);
    const numbers = [...parts.keys()].filter((number) => number > after).toSorted((a, b) => a - b);
    const page = numbers.slice(0, PAGE_SIZE);
    const listed = page.map((number) => {
      const { content, etag, modified } = parts.get(number) ?? stored(Buffer.alloc(0));
      return (
        `<Part><PartNumber>${number}</PartNumber><Size>${content.length}</Size><ETag>${quoted(etag)}</ETag>` +
        `<LastModified>${modified.toISOString()}</LastModified></Part>`
      );
    });
    const truncated = numbers.length > page.length;
    return {
      content:
        `<ListPartsResult><IsTruncated>${truncated}</IsTruncated>` +
        `<NextPartNumberMarker>${page.at(-1) ?? 0}</NextPartNumberMarker>${listed.join('')}</ListPartsResult>`,
    };
  }

  #complete(request: FakeS3Request): FakeS3Answer {
    const { key, parts } = this.#uploadOf(request);
    const wanted = [...request.body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      etag: (/<ETag>(.*?)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
    }));
    if (wanted.length === 0) throw new FakeS3Error(400, 'MalformedXML', 'no parts');
    const contents = wanted.map(({ number, etag }, index) => {
      const part = parts.get(number);
      if (part?.etag !== etag) throw new FakeS3Error(400, 'InvalidPart', String(number));
      if (number <= (wanted[index - 1]?.number ?? 0)) throw new FakeS3Error(400, 'InvalidPartOrder', String(number));
      if (index < wanted.length - 1 && part.content.length < MIN_PART_BYTES) {
        throw new FakeS3Error(400, 'EntityTooSmall', String(number));
      }
      return part.content;
    });
    const content = Buffer.concat(contents);
    const tags = createHash('md5')
      .update(contents.map((part) => md5(part)).join(''))
      .digest('hex');
    const object: StoredObject = { content, etag: `"${tags}-${contents.length}"`, modified: new Date() };
    this.#objects.set(key, object);
    this.#uploads.delete(request.query.get('uploadId') ?? '');
    return {
      content: `<CompleteMultipartUploadResult><ETag>${quoted(object.etag)}</ETag></CompleteMultipartUploadResult>`,
    };
  }

  #get(key: string): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) throw new FakeS3Error(404, 'NoSuchKey', key);
    return object;
  }

  #uploadOf({ key, query }: FakeS3Request): MultipartUpload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload?.key !== key) throw new FakeS3Error(404, 'NoSuchUpload', key);
    return upload;
  }
}

function stored(content: Buffer): StoredObject {
  return { content, etag: `"${md5(content)}"`, modified: new Date() };
}

function md5(content: Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}

function quoted(etag: string): string {
  return etag.replaceAll('"', '&quot;');
}
