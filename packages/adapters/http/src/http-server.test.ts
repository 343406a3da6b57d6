import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { VicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import { temporaryDirectory } from '@vic/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, type HttpServerOptions, Type, createHttpServer, hijack, streamingBodies } from './index.ts';

const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close(100);
});

async function serve(
  routes: (server: HttpServer) => void,
  options: Partial<HttpServerOptions> = {},
): Promise<{ readonly url: string; readonly port: number }> {
  const server = createHttpServer({ logger: silentLogger(), ...options });
  open.push(server);
  routes(server);
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!('port' in address)) throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, port: address.port };
}

/** Sends raw bytes, half-closes once `sendAfter` was sent, and gives all that came back. */
async function rawExchange(port: number, request: string, sendAfter: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.write(request);
  let received = '';
  let sent = false;
  for await (const chunk of socket) {
    received += String(chunk);
    if (!sent && received.includes('\r\n\r\n')) {
      sent = true;
      socket.end(sendAfter);
    }
  }
  return received;
}

const echoUntilEnd = ({ app }: HttpServer): void => {
  app.post('/attach', { schema: { body: Type.Object({ greeting: Type.String() }) } }, async (request, reply) => {
    const { greeting } = request.body;
    const socket = hijack(request, reply, { contentType: 'application/vnd.docker.raw-stream' });
    socket.write(`${greeting}|`);
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('end', () => socket.end(`heard ${heard}`));
    socket.resume();
    return reply;
  });
};

const attachRequest = (body: string, headers = ''): string =>
  `POST /attach HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';

describe('createHttpServer()', () => {
  it("validates by schema and answers in the server's own error form", async () => {
    const { url } = await serve(
      ({ app }) =>
        void app.get('/n', { schema: { querystring: Type.Object({ n: Type.Number() }) } }, async (r) => ({
          twice: r.query.n * 2,
        })),
      { errorResponse: (error) => ({ status: 418, body: { teapot: error.class } }) },
    );
    expect(await (await fetch(`${url}/n?n=4`)).json()).toEqual({ twice: 8 });
    const refused = await fetch(`${url}/n?n=four`);
    expect(refused.status).toBe(418);
    expect(await refused.json()).toEqual({ teapot: 'InvalidArgument' });
    expect(await (await fetch(`${url}/nowhere`)).json()).toEqual({ teapot: 'NotFound' });
  });

  it('maps a VicError to its status and anything else to 500', async () => {
    const { url } = await serve(({ app }) => {
      app.get('/conflict', async () => {
        throw new VicError({ class: 'Conflict', code: 'X_BUSY', message: 'Busy.', remedy: 'Wait.' });
      });
      app.get('/defect', async () => {
        throw new TypeError('oops');
      });
    });
    const conflict = await fetch(`${url}/conflict`);
    expect([conflict.status, await conflict.json()]).toEqual([409, { code: 'X_BUSY', message: 'Busy. Wait.' }]);
    expect((await fetch(`${url}/defect`)).status).toBe(500);
  });

  it('routes rewritten URLs and keeps the original', async () => {
    const { url } = await serve(
      ({ app }) => void app.get('/info', async (request) => ({ asked: request.originalUrl })),
      {
        rewriteUrl: (path) => path.replace(/^\/v\d+\.\d+(?=\/)/, ''),
      },
    );
    expect(await (await fetch(`${url}/v1.51/info`)).json()).toEqual({ asked: '/v1.51/info' });
    expect((await fetch(`${url}/info`)).status).toBe(200);
  });

  it('accepts a JSON content type without a body, and bounds bodies', async () => {
    const { url } = await serve(
      ({ app }) => void app.post('/start', async (request) => ({ body: request.body ?? null })),
      {
        bodyLimitBytes: 100,
      },
    );
    const headers = { 'content-type': 'application/json' };
    expect(await (await fetch(`${url}/start`, { method: 'POST', headers })).json()).toEqual({ body: null });
    const big = await fetch(`${url}/start`, { method: 'POST', headers, body: JSON.stringify('x'.repeat(200)) });
    expect(big.status).toBe(413);
  });

  it('ends a buffered body that does not arrive in time', async () => {
    const { port } = await serve(({ app }) => void app.post('/start', async () => 'ok'), { bodyTimeoutMs: 20 });
    const answer = await rawExchange(
      port,
      'POST /start HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
      '',
    );
    expect(answer).toMatch(/^HTTP\/1.1 504 /);
  });

  it('streams bodies in and out', async () => {
    const { url } = await serve(({ app }) => {
      void app.register(
        streamingBodies((scope) => {
          scope.put('/upper', async (request, reply) =>
            reply.send(
              Readable.from((request.body as Readable).map((chunk: Buffer) => chunk.toString().toUpperCase())),
            ),
          );
        }),
      );
    });
    const body = Readable.toWeb(Readable.from(['a'.repeat(3_000_000), 'b']).map((text) => Buffer.from(text)));
    const answer = await fetch(`${url}/upper`, {
      method: 'PUT',
      body: body as ReadableStream,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.text()).toBe(`${'A'.repeat(3_000_000)}B`);
  });

  it('listens on a unix socket', async () => {
    await using directory = await temporaryDirectory();
    const server = createHttpServer({ logger: silentLogger() });
    open.push(server);
    server.app.get('/', async () => 'hi');
    const path = `${directory.path}/s`;
    expect(await server.listen({ path })).toEqual({ path });
    const socket = connect(path);
    socket.end('GET / HTTP/1.0\r\n\r\n');
    expect((await Array.fromAsync(socket)).join('')).toMatch(/hi$/);
  });

  it('says what keeps it from listening', async () => {
    const { port } = await serve(() => undefined);
    await using second = createHttpServer({ logger: silentLogger() });
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'HTTP_CANNOT_LISTEN',
      message: `Cannot listen on 127.0.0.1:${port}: another program listens there.`,
    });
    await using third = createHttpServer({ logger: silentLogger() });
    await expect(third.listen({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      message: 'Cannot listen on 192.0.2.1:0: this machine has no such address.',
    });
  });

  it('close() fires closing and ends requests that do not end themselves', async () => {
    const server = createHttpServer({ logger: silentLogger() });
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    server.app.get('/polite', async () => {
      begun[0].resolve();
      return new Promise((resolve) => server.closing.addEventListener('abort', () => resolve('bye')));
    });
    server.app.get('/stubborn', async () => {
      begun[1].resolve();
      return new Promise(() => undefined);
    });
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    if (!('port' in address)) throw new Error('no port');
    const polite = fetch(`http://127.0.0.1:${address.port}/polite`);
    const stubborn = fetch(`http://127.0.0.1:${address.port}/stubborn`).catch(() => 'cut');
    await Promise.all(begun.map(async ({ promise }) => promise));
    await server.close(50);
    expect(await (await polite).text()).toBe('bye');
    expect(await stubborn).toBe('cut');
  });
});

describe('hijack()', () => {
  it('answers 101 to an accepted upgrade, with body, early bytes and half-close', async () => {
    const { port } = await serve(echoUntilEnd, { upgradeProtocols: ['tcp'] });
    const answer = await rawExchange(port, `${attachRequest('{"greeting":"hello"}', UPGRADE)}early `, 'late');
    expect(answer).toMatch(
      /^HTTP\/1.1 101 UPGRADED\r\nContent-Type: application\/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello\|heard early late$/,
    );
  });

  it('gives a raw connection to a client that does not send Upgrade', async () => {
    const { port } = await serve(echoUntilEnd, { upgradeProtocols: ['tcp'] });
    const answer = await rawExchange(port, attachRequest('{"greeting":"hello"}'), 'POST is data now\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: [^\r]+\r\n\r\nhello\|heard POST is data now\r\n\r\n$/);
  });

  it('leaves a refused upgrade an ordinary answer', async () => {
    const { port } = await serve(echoUntilEnd, { upgradeProtocols: ['tcp'] });
    const answer = await rawExchange(port, attachRequest('{"greeting":1}', UPGRADE), '');
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toContain('HTTP_INVALID_REQUEST');
  });

  it('does not upgrade to a protocol that is not accepted', async () => {
    const { port } = await serve(echoUntilEnd, { upgradeProtocols: ['tcp'] });
    const answer = await rawExchange(
      port,
      attachRequest('{"greeting":"x"}', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'),
      '',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
  });
});
