import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { FakeS3Error, fakeS3Request } from './fake-s3-request.ts';
import { FakeS3Objects } from './fake-s3-objects.ts';
import { checkSignature } from './fake-s3-signature.ts';

/** An S3 server with one bucket in memory, as strict as Amazon's about signatures, parts and conditions. */
export class FakeS3 implements AsyncDisposable {
  static readonly bucket = 'registry';
  static readonly credentials = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'only for tests' };

  readonly objects: FakeS3Objects;
  readonly #server: Server;
  #refused: string | undefined;

  private constructor(server: Server, objects: FakeS3Objects) {
    this.#server = server;
    this.objects = objects;
  }

  /** Starts one on a free port of the loopback interface. */
  static async start(): Promise<FakeS3> {
    const objects = new FakeS3Objects();
    const server = createServer();
    const fake = new FakeS3(server, objects);
    server.on('request', (request, response) => void fake.#answer(request, response));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    return fake;
  }

  /** From now on requests of this kind (`PUT object`) are refused; none is any more when it is undefined. */
  refuse(kind: string | undefined): void {
    this.#refused = kind;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await buffer(request);
      checkSignature(request, body, FakeS3.credentials);
      const asked = fakeS3Request(request, body, FakeS3.bucket);
      const kind = `${asked.method} ${asked.operation}`;
      if (kind === this.#refused) throw new FakeS3Error(503, 'SlowDown', 'refused for a test');
      const { status = 200, headers = {}, content = '' } = this.objects.handle(asked);
      const bytes = Buffer.from(content);
      response.writeHead(status, { 'content-length': bytes.length, ...headers });
      response.end(asked.method === 'HEAD' ? undefined : bytes);
    } catch (error) {
      const { status, code, message } =
        error instanceof FakeS3Error ? error : new FakeS3Error(500, 'InternalError', String(error));
      const text = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(request.method === 'HEAD' ? undefined : text);
    }
  }
}
