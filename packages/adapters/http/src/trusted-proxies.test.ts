import { silentLogger } from '@vic/log';
import { describe, expect, it } from 'vitest';
import { createHttpServer } from './index.ts';

interface Seen {
  readonly ip: string;
  readonly host: string;
  readonly protocol: string;
}

/** What a request from 127.0.0.1 with these headers looks like to a route. */
async function seen(trustedProxies: readonly string[], headers: Readonly<Record<string, string>>): Promise<Seen> {
  await using server = createHttpServer({ logger: silentLogger(), trustedProxies });
  server.app.get('/', async (request) => ({
    ip: request.ip,
    host: request.headers.host,
    protocol: request.protocol,
  }));
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!('port' in address)) throw new Error('no port');
  return (await (await fetch(`http://127.0.0.1:${address.port}/`, { headers })).json()) as Seen;
}

const HERE = ['127.0.0.1'];
const FOR = 'x-forwarded-for';

describe('without trusted proxies', () => {
  it.each([
    { [FOR]: '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' },
    { forwarded: 'for=203.0.113.9;host=evil.example;proto=https' },
  ])('%o changes nothing', async (headers) => {
    for (const trusted of [[], ['10.0.0.0/8', 'fd00::/8']]) {
      const found = await seen(trusted, headers);
      expect(found).toMatchObject({ ip: '127.0.0.1', protocol: 'http' });
      expect(found.host).toMatch(/^127\.0\.0\.1:/);
    }
  });
});

describe('behind a trusted proxy', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    // What the client wrote itself is on the left.
    ['1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['1.1.1.1, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
    ['10.9.9.9, 203.0.113.9, 10.1.2.3, 10.1.2.4', '203.0.113.9'],
    // Everybody is trusted: the outermost.
    ['10.1.2.5, 10.1.2.3', '10.1.2.5'],
    // What is no address ends it at the last that is known.
    ['203.0.113.9, unknown', '127.0.0.1'],
    ['203.0.113.9, <script>, 10.1.2.3', '10.1.2.3'],
    ['', '127.0.0.1'],
  ])('X-Forwarded-For: %s is %s', async (value, ip) => {
    expect(await seen([...HERE, '10.0.0.0/8'], { [FOR]: value })).toMatchObject({ ip });
  });

  it.each([
    ['for=203.0.113.9', '203.0.113.9'],
    ['for=1.1.1.1, for="203.0.113.9:80";by=10.0.0.1', '203.0.113.9'],
    ['For="[2001:db8::9]:4711"', '2001:db8::9'],
    ['for=203.0.113.9, for=10.1.2.3', '203.0.113.9'],
    ['for=_hidden', '127.0.0.1'],
    ['for=unknown', '127.0.0.1'],
  ])('Forwarded: %s is %s', async (forwarded, ip) => {
    expect(await seen([...HERE, '10.0.0.0/8'], { forwarded })).toMatchObject({ ip });
  });

  it('takes scheme and host from the proxy that the client came to', async () => {
    const headers = { [FOR]: '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'registry.example' };
    expect(await seen(HERE, headers)).toEqual({ ip: '203.0.113.9', host: 'registry.example', protocol: 'https' });
    const lists = {
      [FOR]: '1.1.1.1, 203.0.113.9, 10.1.2.3',
      'x-forwarded-proto': 'gopher, https, http',
      'x-forwarded-host': 'evil.example, registry.example, inside.example',
    };
    const found = await seen([...HERE, '10.0.0.0/8'], lists);
    expect(found).toEqual({ ip: '203.0.113.9', host: 'registry.example', protocol: 'https' });
    const odd = await seen(HERE, { 'x-forwarded-host': 'a b"<x>', 'x-forwarded-proto': 'javascript' });
    expect(odd).toMatchObject({ protocol: 'http', host: expect.stringMatching(/^127/) as string });
  });

  it('believes neither header when a client has added the one that the proxy does not write', async () => {
    const headers = { [FOR]: '203.0.113.9', forwarded: 'for=1.1.1.1' };
    expect(await seen(HERE, headers)).toMatchObject({ ip: '127.0.0.1' });
    expect(await seen(HERE, { ...headers, forwarded: 'for=203.0.113.9' })).toMatchObject({ ip: '203.0.113.9' });
  });
});

it.each(['proxy.example', '10.0.0.0/33', '::/129', '10.0.0.1/', ''])('%o is no trusted proxy', (text) => {
  const create = (): unknown => createHttpServer({ logger: silentLogger(), trustedProxies: [text] });
  expect(create).toThrow('neither an address nor a network');
});
