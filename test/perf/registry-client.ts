import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { ServerProcess } from './registry-servers.ts';

const MIB = 2 ** 20;
/** Tokens last half an hour, and are asked for anew before. */
const TOKEN_MS = 10 * 60_000;

/** Content of any size without holding it: one random block again and again, each time with another number in it. */
export class BenchBlob {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly #block = randomBytes(MIB);

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    const hash = createHash('sha256');
    for (const chunk of this.chunks()) hash.update(chunk);
    this.digest = `sha256:${hash.digest('hex')}`;
  }

  *chunks(): Generator<Buffer, void, undefined> {
    for (let at = 0; at < this.sizeBytes; at += MIB) {
      const header = Buffer.alloc(8);
      header.writeDoubleLE(at);
      const size = Math.min(MIB, this.sizeBytes - at);
      if (size <= 8) yield this.#block.subarray(0, size);
      else {
        yield header;
        yield this.#block.subarray(8, size);
      }
    }
  }
}

/** An answer that was not the expected one. */
export class UnexpectedAnswer extends Error {
  readonly status: number;

  constructor(method: string, path: string, status: number, text: string) {
    super(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/** A client of one repository, with as many connections as it needs, kept alive. */
export class RegistryBenchClient implements Disposable {
  readonly #server: ServerProcess;
  readonly #repository: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });
  #token: { readonly value: string; readonly untilMs: number } | undefined;

  constructor(server: ServerProcess, repository: string) {
    this.#server = server;
    this.#repository = repository;
  }

  /** Uploads as docker does: `POST`, `PATCH` with everything, `PUT`. */
  async push(blob: BenchBlob): Promise<void> {
    const begun = await this.#call('POST', `/v2/${this.#repository}/blobs/uploads/`, 202);
    const patched = await this.#call('PATCH', locationOf(begun), 202, {
      length: blob.sizeBytes,
      chunks: blob.chunks(),
    });
    const location = new URL(locationOf(patched), this.#server.url);
    location.searchParams.set('digest', blob.digest);
    await this.#call('PUT', location.href, 201);
  }

  /** Downloads a blob and counts its bytes; less than all when `signal` fires. */
  async pull(digest: string, signal?: AbortSignal): Promise<number> {
    const { response } = await this.#open('GET', `/v2/${this.#repository}/blobs/${digest}`);
    if (response.statusCode !== 200) throw new Error(`pull: ${response.statusCode}`);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    signal?.addEventListener('abort', () => response.destroy(), { once: true });
    if (signal?.aborted === true) response.destroy();
    await once(response, 'close').catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
    if (!response.complete && signal?.aborted !== true) throw new Error(`the blob broke off after ${bytes} bytes`);
    return bytes;
  }

  async putManifest(reference: string, document: object, mediaType: string): Promise<void> {
    const body = Buffer.from(JSON.stringify(document));
    await this.#call('PUT', `/v2/${this.#repository}/manifests/${reference}`, 201, {
      length: body.length,
      chunks: [body],
      headers: { 'content-type': mediaType },
    });
  }

  /** Counts all tags, page by page; `page` is the query that asks for the first, all at once when empty. */
  async listTags(page: string): Promise<number> {
    let count = 0;
    for (let path: string | undefined = `/v2/${this.#repository}/tags/list${page}`; path !== undefined;) {
      const { response, body }: Answer = await this.#call('GET', path, 200);
      count += (JSON.parse(body.toString()) as { tags: readonly string[] | null }).tags?.length ?? 0;
      path = /<([^>]+)>/.exec(String(response.headers.link ?? ''))?.[1];
    }
    return count;
  }

  /** Status and text of any request. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const { response } = await this.#open('GET', path);
    return { status: response.statusCode ?? 0, text: (await buffer(response)).toString() };
  }

  /** A new token for the repository, as docker asks for one. */
  async fetchToken(): Promise<string> {
    const { administrator, url } = this.#server;
    if (administrator === undefined) return '';
    const scope = encodeURIComponent(`repository:${this.#repository}:pull,push`);
    const answer = await fetch(`${url}/service/token?service=harbor-registry&scope=${scope}`, {
      headers: { authorization: basic(administrator) },
    });
    if (!answer.ok) throw new UnexpectedAnswer('GET', '/service/token', answer.status, await answer.text());
    return ((await answer.json()) as { token: string }).token;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #call(method: string, path: string, expected: number, body?: Body): Promise<Answer> {
    const { response } = await this.#open(method, path, body);
    const content = await buffer(response);
    if (response.statusCode === expected) return { response, body: content };
    throw new UnexpectedAnswer(method, path, response.statusCode ?? 0, content.toString());
  }

  async #open(method: string, path: string, body?: Body): Promise<{ readonly response: IncomingMessage }> {
    const outgoing = request(new URL(path, this.#server.url), {
      method,
      agent: this.#agent,
      headers: {
        ...(await this.#authorization()),
        'content-length': body?.length ?? 0,
        ...body?.headers,
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    outgoing.on('response', resolve).on('error', reject);
    await send(outgoing, body?.chunks ?? [], promise);
    return { response: await promise };
  }

  async #authorization(): Promise<Record<string, string>> {
    if (this.#server.administrator === undefined) return {};
    if (this.#token === undefined || this.#token.untilMs < Date.now()) {
      this.#token = { value: await this.fetchToken(), untilMs: Date.now() + TOKEN_MS };
    }
    return { authorization: `Bearer ${this.#token.value}` };
  }
}

interface Body {
  readonly length: number;
  readonly chunks: Iterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly response: IncomingMessage;
  readonly body: Buffer;
}

/** Makes a public project on our registry. */
export async function createProject({ url, administrator }: ServerProcess, name: string): Promise<void> {
  if (administrator === undefined) return;
  const answer = await fetch(`${url}/api/v2.0/projects`, {
    method: 'POST',
    headers: { authorization: basic(administrator), 'content-type': 'application/json' },
    body: JSON.stringify({ project_name: name, metadata: { public: 'true' } }),
  });
  if (answer.status !== 201 && answer.status !== 409) {
    throw new UnexpectedAnswer('POST', '/projects', answer.status, await answer.text());
  }
}

/** `Authorization` of the administrator. */
function basic({ name, password }: { readonly name: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** Stops sending when the answer comes first. */
async function send(outgoing: ClientRequest, chunks: Iterable<Uint8Array>, answered: Promise<unknown>): Promise<void> {
  const early = answered.then(
    () => true,
    () => true,
  );
  for (const chunk of chunks) {
    if (outgoing.write(chunk)) continue;
    const drained = once(outgoing, 'drain').then(
      () => false,
      () => true,
    );
    if (await Promise.race([drained, early])) break;
  }
  outgoing.end();
}

function locationOf({ response }: Answer): string {
  return String(response.headers.location);
}
