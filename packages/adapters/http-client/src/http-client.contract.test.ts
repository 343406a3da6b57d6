import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { run } from '@vic/process';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpClient } from './index.ts';

const cleanup = new AsyncDisposableStack();
let key = '';
let certificate = '';
let strangerCertificate = '';

beforeAll(async () => {
  const { path } = cleanup.use(await temporaryDirectory());
  for (const name of ['own', 'stranger']) {
    const base = join(path, name);
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${base}.key`,
      '-out',
      `${base}.pem`,
      '-days',
      '2',
      ...subject,
    ]);
  }
  key = await readFile(join(path, 'own.key'), 'utf8');
  certificate = await readFile(join(path, 'own.pem'), 'utf8');
  strangerCertificate = await readFile(join(path, 'stranger.pem'), 'utf8');
});

afterAll(async () => cleanup.disposeAsync());

interface Running extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

async function serve(handler: RequestListener, tls = false): Promise<Running & { readonly server: Server }> {
  const server = tls ? createTlsServer({ key, cert: certificate }, handler) : createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    server,
    port: address.port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const hello: RequestListener = (_request, response) => void response.end('hello');

test('TLS: unknown authorities are refused, a CA bundle and a thumbprint accepted', async () => {
  await using server = await serve(hello, true);
  const request = async (tls: object): Promise<string> => {
    await using client = new HttpClient({ tls });
    return (await client.request({ url: server.url })).text();
  };
  await expect(request({})).rejects.toThrow('certificate signed by unknown authority');
  expect(await request({ ca: certificate })).toBe('hello');
  const own = new X509Certificate(certificate);
  expect(await request({ thumbprint: own.fingerprint256 })).toBe('hello');
  expect(await request({ thumbprint: own.fingerprint.replaceAll(':', '').toLowerCase() })).toBe('hello');
  await expect(request({ thumbprint: new X509Certificate(strangerCertificate).fingerprint256 })).rejects.toMatchObject({
    code: 'HTTP_THUMBPRINT_MISMATCH',
  });
  expect(() => new HttpClient({ tls: { thumbprint: 'abc' } })).toThrow('not a certificate thumbprint');
  expect(await request({ insecure: true })).toBe('hello');
});

test('connection failures say what a user understands', async () => {
  await using client = new HttpClient();
  await using plain = await serve(hello);
  await expect(client.request({ url: `http://127.0.0.1:${await freePort()}/` })).rejects.toThrow('connection refused');
  await expect(client.request({ url: 'http://no-such-host.invalid/' })).rejects.toThrow(
    'lookup no-such-host.invalid: no such host',
  );
  await expect(client.request({ url: plain.url.replace('http:', 'https:') })).rejects.toThrow(
    'server gave HTTP response to HTTPS client',
  );
  await expect(client.request({ url: 'ftp://x/' })).rejects.toMatchObject({ code: 'HTTP_URL_INVALID' });
});

test('deadlines: an answer that does not begin, and one that stalls', async () => {
  await using client = new HttpClient({ headersTimeoutMs: 300, idleTimeoutMs: 300 });
  await using server = await serve((request, response) => {
    if (request.url === '/stall') response.write('some');
  });
  await expect(client.request({ url: `${server.url}/never` })).rejects.toMatchObject({ code: 'HTTP_TIMEOUT' });
  const response = await client.request({ url: `${server.url}/stall`, headersTimeoutMs: 60_000 });
  await expect(response.text()).rejects.toMatchObject({ code: 'HTTP_STALLED' });
  const abort = new AbortController();
  const waiting = client.request({ url: `${server.url}/never`, signal: abort.signal, headersTimeoutMs: 60_000 });
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('redirects are followed without credentials to another origin, and never from https to http', async () => {
  const seen: IncomingMessage['headers'][] = [];
  await using other = await serve((request, response) => {
    seen.push(request.headers);
    response.end('there');
  });
  await using server = await serve((request, response) => {
    if (request.url === '/here') return void response.end(`here ${request.headers.authorization}`);
    response
      .writeHead(307, {
        location: request.url === '/same' ? '/here' : request.url === '/loop' ? '/loop' : `${other.url}/x`,
      })
      .end();
  });
  await using client = new HttpClient();
  const headers = { authorization: 'Bearer secret', accept: 'x/y' };
  expect(await (await client.request({ url: `${server.url}/same`, headers })).text()).toBe('here Bearer secret');
  const response = await client.request({ url: `${server.url}/other`, headers });
  expect(await response.text()).toBe('there');
  expect(response.url.href).toBe(`${other.url}/x`);
  expect(seen[0]).toMatchObject({ accept: 'x/y' });
  expect(seen[0]?.authorization).toBeUndefined();
  await expect(client.request({ url: `${server.url}/loop` })).rejects.toThrow('too many times');
  expect((await client.request({ url: `${server.url}/other`, maxRedirects: 0 })).status).toBe(307);
  await using secure = await serve(
    (_request, answer) => void answer.writeHead(302, { location: other.url }).end(),
    true,
  );
  await using trusting = new HttpClient({ tls: { ca: certificate } });
  await expect(trusting.request({ url: secure.url })).rejects.toThrow('redirects from https to http');
});

test('bodies are streamed both ways, and bounded when read whole', async () => {
  await using server = await serve((request, response) => void request.pipe(response));
  await using client = new HttpClient();
  const body = (async function* () {
    for (let index = 0; index < 50; index++) yield Buffer.alloc(10_000, index);
  })();
  const response = await client.request({ method: 'POST', url: server.url, body });
  let size = 0;
  for await (const chunk of response) size += chunk.length;
  expect(size).toBe(500_000);
  const again = await client.request({ method: 'POST', url: server.url, body: 'x'.repeat(5000) });
  await expect(again.bytes(4000)).rejects.toMatchObject({ code: 'HTTP_BODY_TOO_LARGE' });
  const text = await client.request({ method: 'POST', url: server.url, body: '{' });
  await expect(text.json()).rejects.toMatchObject({ code: 'HTTP_BODY_NOT_JSON' });
});

test('the retry hook decides, and is not asked about streams', async () => {
  let tries = 0;
  await using server = await serve((_request, response) => {
    tries++;
    response.writeHead(tries < 3 ? 503 : 200).end(String(tries));
  });
  const asked: number[] = [];
  await using client = new HttpClient({
    retry: ({ attempt, status }) => {
      asked.push(status ?? 0);
      return attempt < 5 ? 1 : undefined;
    },
  });
  expect(await (await client.request({ url: server.url })).text()).toBe('3');
  expect(asked).toEqual([503, 503]);
  tries = 0;
  const body = (async function* () {
    yield Buffer.from('x');
  })();
  expect((await client.request({ method: 'PUT', url: server.url, body })).status).toBe(503);
});

test('proxies: plain requests in absolute form, https through a tunnel, exceptions straight', async () => {
  const seen: string[] = [];
  await using target = await serve(hello, true);
  await using proxy = await serve((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end('from the proxy');
  });
  proxy.server.on('connect', (request: IncomingMessage, socket: Socket) => {
    seen.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`);
    const upstream = connect(target.port, '127.0.0.1', () => void socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    upstream.pipe(socket).pipe(upstream);
    for (const end of [upstream, socket]) end.on('error', () => undefined);
  });
  const address = `http://me:pass@127.0.0.1:${proxy.port}`;
  const settings = { httpProxy: address, httpsProxy: address, noProxy: 'straight.invalid' };
  await using client = new HttpClient({
    proxy: settings,
    tls: { thumbprint: new X509Certificate(certificate).fingerprint256 },
  });
  expect(await (await client.request({ url: 'http://plain.invalid/x' })).text()).toBe('from the proxy');
  expect(await (await client.request({ url: 'https://tunnel.invalid/y' })).text()).toBe('hello');
  expect(seen).toEqual([
    'GET http://plain.invalid/x',
    `CONNECT tunnel.invalid:443 Basic ${Buffer.from('me:pass').toString('base64')}`,
  ]);
  await expect(client.request({ url: 'http://straight.invalid/' })).rejects.toThrow('no such host');
  await using dead = new HttpClient({ proxy: { httpsProxy: `http://127.0.0.1:${await freePort()}` } });
  await expect(dead.request({ url: 'https://tunnel.invalid/' })).rejects.toMatchObject({ code: 'HTTP_PROXY_FAILED' });
});
