import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a request is answered instead of as usual; `undefined` for the usual answer. A promise keeps it waiting. */
export type Meddling = (request: MeddledRequest) => MeddledAnswer | undefined | Promise<MeddledAnswer | undefined>;

/** A request before it is answered. */
export interface MeddledRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Another answer, or a break of the connection. */
export interface MeddledAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends this many bytes of the usual answer's body, then breaks the connection. */
  readonly cutAnswerAt?: number;
  /** Takes this many bytes of the request's body, keeps them, then breaks the connection. */
  readonly cutRequestAt?: number;
}

interface Repository {
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly mediaType: string }>;
  readonly tags: Map<string, string>;
  readonly blobs: Set<string>;
}

/** A distribution registry in memory whose answers a test can meddle with. */
export class MemoryRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Buffer>();
  readonly repositories = new Map<string, Repository>();
  /** Requests seen, as `METHOD path?query`. */
  readonly requests: string[] = [];
  /** Headers of the requests seen, in the same order. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>[] = [];
  meddle: Meddling = () => undefined;
  /** Whether it has the referrers API. */
  hasReferrers = true;
  readonly #uploads = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      // A client that goes away in the middle of a request waits for no answer.
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  /** Listens on a free port of loopback. */
  static async start(): Promise<MemoryRegistry> {
    const registry = new MemoryRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Adds content without a request; gives its digest. */
  addBlob(name: string, bytes: Buffer): `sha256:${string}` {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    this.#repository(name).blobs.add(digest);
    return digest;
  }

  /** Adds a manifest without a request; gives its digest. */
  addManifest(
    name: string,
    reference: string,
    document: Readonly<Record<string, unknown>> & { readonly mediaType: string },
  ): `sha256:${string}` {
    return this.#store(name, reference, Buffer.from(JSON.stringify(document)), document.mediaType);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const url = new URL(request.url ?? '/', this.url);
    const method = request.method ?? 'GET';
    this.requests.push(`${method} ${url.pathname}${url.search}`);
    this.headers.push(request.headers);
    const other = await this.meddle({ method, url, headers: request.headers });
    if (other?.status !== undefined) {
      request.resume();
      response.writeHead(other.status, other.headers).end(other.body ?? '');
      return;
    }
    const body = await readBody(request, other?.cutRequestAt);
    const answer = this.#answer({ method, url, body, headers: request.headers });
    if (other?.cutRequestAt !== undefined) return void socket.destroy();
    response.writeHead(answer.status, answer.headers);
    if (other?.cutAnswerAt !== undefined) {
      response.write(answer.body.subarray(0, other.cutAnswerAt), () => setTimeout(() => response.destroy(), 10));
    } else response.end(method === 'HEAD' ? undefined : answer.body);
  }

  #answer(request: Received): Answered {
    const { pathname } = request.url;
    if (pathname === '/v2/') return answered(200, {}, '{}');
    if (pathname === '/v2/_catalog') return this.#page(request, [...this.repositories.keys()], 'repositories');
    const uploads = /^\/v2\/(.+)\/blobs\/uploads\/(.*)$/.exec(pathname);
    if (uploads !== null) return this.#upload(request, uploads[1] ?? '', uploads[2] ?? '');
    const match = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/.exec(pathname);
    const [, name = '', kind = '', reference = ''] = match ?? [];
    if (kind === 'tags') {
      const repository = this.repositories.get(name);
      return repository === undefined
        ? unknown('NAME_UNKNOWN')
        : this.#page(request, [...repository.tags.keys()], 'tags');
    }
    if (kind === 'referrers') return this.#referrers(name, reference);
    if (kind === 'blobs') return this.#blob(request, name, reference);
    return kind === 'manifests' ? this.#manifest(request, name, reference) : unknown('NOT_FOUND');
  }

  #manifest({ body, headers, method }: Received, name: string, reference: string): Answered {
    if (method === 'PUT') {
      const digest = this.#store(name, reference, body, String(headers['content-type']));
      const { subject } = JSON.parse(body.toString()) as { subject?: { digest: string } };
      const known = subject !== undefined && this.hasReferrers ? { 'oci-subject': subject.digest } : {};
      return answered(201, { 'docker-content-digest': digest, ...known }, '');
    }
    const repository = this.repositories.get(name);
    const digest = repository?.tags.get(reference) ?? reference;
    const manifest = repository?.manifests.get(digest);
    if (repository === undefined || manifest === undefined) return unknown('MANIFEST_UNKNOWN');
    if (method === 'DELETE') {
      if (!repository.tags.delete(reference)) repository.manifests.delete(digest);
      return answered(202, {}, '');
    }
    const { bytes, mediaType } = manifest;
    const length = String(bytes.length);
    return {
      status: 200,
      headers: { 'docker-content-digest': digest, 'content-type': mediaType, 'content-length': length },
      body: bytes,
    };
  }

  #store(name: string, reference: string, bytes: Buffer, mediaType: string): `sha256:${string}` {
    const digest = digestOf(bytes);
    const repository = this.#repository(name);
    repository.manifests.set(digest, { bytes, mediaType });
    if (!reference.includes(':')) repository.tags.set(reference, digest);
    return digest;
  }

  #blob({ headers, method }: Received, name: string, digest: string): Answered {
    const bytes = this.repositories.get(name)?.blobs.has(digest) === true ? this.blobs.get(digest) : undefined;
    if (bytes === undefined) return unknown('BLOB_UNKNOWN');
    const from = Number(/^bytes=(\d+)-$/.exec((headers['range'] as string | undefined) ?? '')?.[1] ?? -1);
    if (from < 0 || method === 'HEAD') {
      return {
        status: 200,
        headers: { 'content-length': String(bytes.length), 'docker-content-digest': digest },
        body: bytes,
      };
    }
    const part = bytes.subarray(from);
    const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    return { status: 206, headers: { 'content-length': String(part.length), 'content-range': range }, body: part };
  }

  #upload(request: Received, name: string, id: string): Answered {
    const { body, headers, method, url } = request;
    if (method === 'POST') {
      const mount = url.searchParams.get('mount');
      const from = url.searchParams.get('from') ?? '';
      if (mount !== null && this.repositories.get(from)?.blobs.has(mount) === true) {
        this.#repository(name).blobs.add(mount);
        return answered(201, { location: `/v2/${name}/blobs/${mount}` }, '');
      }
      const fresh = randomUUID();
      this.#uploads.set(fresh, Buffer.alloc(0));
      return this.#progress(202, name, fresh);
    }
    const had = this.#uploads.get(id);
    if (had === undefined) return unknown('BLOB_UPLOAD_UNKNOWN');
    if (method === 'GET') return this.#progress(204, name, id);
    if (method === 'DELETE') {
      this.#uploads.delete(id);
      return answered(204, {}, '');
    }
    const start = /^(\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1];
    if (start !== undefined && Number(start) !== had.length) return this.#progress(416, name, id);
    const content = Buffer.concat([had, body]);
    this.#uploads.set(id, content);
    if (method === 'PATCH') return this.#progress(202, name, id);
    const digest = url.searchParams.get('digest') ?? '';
    if (digestOf(content) !== digest) return answered(400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}');
    this.#uploads.delete(id);
    this.addBlob(name, content);
    return answered(201, { location: `/v2/${name}/blobs/${digest}` }, '');
  }

  #progress(status: number, name: string, id: string): Answered {
    const size = this.#uploads.get(id)?.length ?? 0;
    return answered(status, { location: `/v2/${name}/blobs/uploads/${id}`, range: `0-${Math.max(size - 1, 0)}` }, '');
  }

  #referrers(name: string, subject: string): Answered {
    if (!this.hasReferrers) return unknown('NOT_FOUND');
    const manifests = [...(this.repositories.get(name)?.manifests ?? [])].flatMap(([digest, { bytes, mediaType }]) => {
      const document = JSON.parse(bytes.toString()) as { subject?: { digest: string }; artifactType?: string };
      if (document.subject?.digest !== subject) return [];
      return [{ digest, mediaType, size: bytes.length, artifactType: document.artifactType }];
    });
    return answered(200, { 'content-type': 'application/json' }, JSON.stringify({ schemaVersion: 2, manifests }));
  }

  /** Pages of `n`, linked by the last name. */
  #page({ url }: Received, names: readonly string[], field: string): Answered {
    const n = Number(url.searchParams.get('n') ?? 1000);
    const rest = names.toSorted().filter((name) => name > (url.searchParams.get('last') ?? ''));
    const page = rest.slice(0, Math.min(n, MAX_PAGE));
    const more = rest.length > page.length;
    const link = more ? { link: `<${url.pathname}?n=${n}&last=${page.at(-1)}>; rel="next"` } : {};
    return answered(200, { 'content-type': 'application/json', ...link }, JSON.stringify({ [field]: page }));
  }

  #repository(name: string): Repository {
    return this.repositories.getOrInsertComputed(name, () => ({
      manifests: new Map(),
      tags: new Map(),
      blobs: new Set(),
    }));
  }
}

/** Smaller than clients ask for, so that they have to follow links. */
const MAX_PAGE = 3;

interface Received extends MeddledRequest {
  readonly body: Buffer;
}

interface Answered {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

function answered(status: number, headers: Record<string, string>, body: string): Answered {
  return { status, headers, body: Buffer.from(body) };
}

function unknown(code: string): Answered {
  return answered(404, {}, JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}

function digestOf(bytes: Buffer): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function readBody(request: IncomingMessage, limit = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks);
}
