import type { Readable } from 'node:stream';
import { VicError } from '@vic/errors';
import { connectionError } from './connection-error.ts';

/** How much {@link HttpResponse.bytes} and its relatives take when no other limit is given. */
const DEFAULT_BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** An answer: its head, and a body that is read once, as a stream or whole up to a limit. */
export class HttpResponse implements AsyncIterable<Buffer> {
  readonly status: number;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly #body: Readable;

  constructor(
    status: number,
    url: URL,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Readable,
  ) {
    this.status = status;
    this.url = url;
    this.#headers = headers;
    this.#body = body;
    // An answer nobody reads may still fail; the failure is seen by whoever reads.
    body.on('error', () => undefined);
  }

  /** Whether the status is 2xx. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** A header's value, several lines joined by a comma. */
  header(name: string): string | undefined {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** A header's values, one per line of the answer (`Set-Cookie`, `WWW-Authenticate`). */
  headerLines(name: string): readonly string[] {
    const value = this.#headers[name.toLowerCase()];
    return value === undefined ? [] : [value].flat();
  }

  /** The body as it arrives; leaving the loop early closes the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of this.#body) yield chunk as Buffer;
    } catch (error) {
      throw connectionError(error, this.url.host);
    }
  }

  /** The whole body, or an error when it is longer than `limitBytes`. */
  async bytes(limitBytes = DEFAULT_BODY_LIMIT_BYTES): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this) {
      size += chunk.length;
      if (size > limitBytes) {
        throw new VicError({
          class: 'ResourceExhausted',
          code: 'HTTP_BODY_TOO_LARGE',
          message: `${this.url.host} answered with more than the ${limitBytes} bytes allowed.`,
        });
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  /** The whole body as UTF-8 text. */
  async text(limitBytes?: number): Promise<string> {
    return (await this.bytes(limitBytes)).toString('utf8');
  }

  /** The whole body parsed as JSON. */
  async json(limitBytes?: number): Promise<unknown> {
    const text = await this.text(limitBytes);
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new VicError({
        class: 'Unavailable',
        code: 'HTTP_BODY_NOT_JSON',
        message: `${this.url.host} answered with something that is not JSON.`,
        cause,
      });
    }
  }

  /** Drops the body. */
  discard(): void {
    this.#body.destroy();
  }
}
