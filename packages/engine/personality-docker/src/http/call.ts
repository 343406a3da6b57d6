import type { Readable, Writable } from 'node:stream';
import { API_VERSION, atLeast, dockerBool, parseBody, parseOptionalBody } from '@vic/docker-api';
import { invalid } from './docker-error.ts';
import type { AnswerHeaders, Exchange } from './exchange.ts';

/** The largest JSON body read; a create request with thousands of labels stays far below. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

type Schema = Parameters<typeof parseBody>[0];
type Parsed<S extends Schema> = ReturnType<typeof parseBody<S>>;

/** What a route's handler sees of one request: parameters, query, version, and the ways to answer. */
export class Call {
  readonly exchange: Exchange;
  readonly version: string;
  readonly #params: Readonly<Record<string, string>>;
  readonly #query: URLSearchParams;
  readonly #headers: AnswerHeaders;

  constructor(init: {
    readonly exchange: Exchange;
    readonly version: string;
    readonly params: Readonly<Record<string, string>>;
    readonly query: URLSearchParams;
    readonly headers: AnswerHeaders;
  }) {
    this.exchange = init.exchange;
    this.version = init.version;
    this.#params = init.params;
    this.#query = init.query;
    this.#headers = init.headers;
  }

  /** Fires when the client has gone. */
  get signal(): AbortSignal {
    return this.exchange.signal;
  }

  /** A part of the path, decoded. */
  param(name: string): string {
    return this.#params[name] ?? '';
  }

  /** A query parameter; `undefined` when absent. */
  query(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  /** All values of a repeated query parameter. */
  queryAll(name: string): string[] {
    return this.#query.getAll(name);
  }

  /** A query parameter as Docker reads booleans. */
  flag(name: string): boolean {
    return dockerBool(this.query(name));
  }

  /** A whole number in the query; `undefined` when absent or empty. */
  integer(name: string): number | undefined {
    const text = this.query(name);
    if (text === undefined || text === '') return undefined;
    if (!/^-?\d{1,9}$/.test(text))
      throw invalid(`invalid value for ${name}: "${text.slice(0, 64)}" is not a whole number`);
    return Number(text);
  }

  /** Whether the client speaks `version` or newer. */
  speaks(version: string): boolean {
    return atLeast(this.version, version);
  }

  /** The JSON body, which must be there. */
  async body<S extends Schema>(schema: S): Promise<Parsed<S>> {
    return parseBody(schema, await this.#bodyText());
  }

  /** The JSON body, `{}` when there is none. */
  async optionalBody<S extends Schema>(schema: S): Promise<Parsed<S>> {
    return parseOptionalBody(schema, await this.#bodyText());
  }

  /** How many bytes of body there are, up to the limit; they are read and dropped. */
  async bodyLength(): Promise<number> {
    return (await readBounded(this.exchange.body)).length;
  }

  /** A JSON answer with Docker's trailing newline. */
  json(status: number, value: unknown, headers: AnswerHeaders = {}): void {
    this.jsonText(status, JSON.stringify(value), headers);
  }

  /** A JSON answer that is encoded already. */
  jsonText(status: number, text: string, headers: AnswerHeaders = {}): void {
    this.exchange.answer(status, { ...this.#headers, 'Content-Type': 'application/json', ...headers }, `${text}\n`);
  }

  /** A plain-text answer. */
  text(status: number, text: string, headers: AnswerHeaders = {}): void {
    this.exchange.answer(status, { ...this.#headers, 'Content-Type': 'text/plain; charset=utf-8', ...headers }, text);
  }

  /** An answer without a body. */
  empty(status: number): void {
    this.exchange.answer(status, this.#headers, '');
  }

  /** A streamed answer whose head is sent at once. */
  stream(contentType: string): Writable {
    return this.exchange.stream(200, { ...this.#headers, 'Content-Type': contentType });
  }

  async #bodyText(): Promise<string> {
    const bytes = await readBounded(this.exchange.body);
    const type = this.exchange.header('content-type') ?? '';
    // As dockerd: a page in a browser can post text/plain anywhere, but not JSON.
    if (bytes.length > 0 && type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
      throw invalid(`unsupported Content-Type header (${type.slice(0, 100)}): must be 'application/json'`);
    }
    return bytes.toString('utf8');
  }
}

async function readBounded(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw invalid(`request body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** Headers Docker puts on every answer, errors included. */
export function commonHeaders(serverVersion: string): AnswerHeaders {
  return {
    'Api-Version': API_VERSION,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `Docker/${serverVersion} (linux)`,
  };
}
