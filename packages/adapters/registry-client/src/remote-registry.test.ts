import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOfBytes, MEDIA_TYPES } from '@vic/oci';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRegistry } from './index.ts';
import type { RegistryConnection, RegistryConnectionOptions } from './index.ts';
import { MemoryRegistry } from './testing/index.ts';

const signal = AbortSignal.timeout(600_000);
const CHUNK = 64 * 1024;
let server: MemoryRegistry;
let opened: AsyncDisposableStack;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await MemoryRegistry.start());
});
afterEach(async () => opened.disposeAsync());

function connect(options: Partial<RegistryConnectionOptions> = {}): RegistryConnection['registry'] {
  const connection = connectRegistry({ url: server.url, resumeDelayMs: 1, stallTimeoutMs: 20_000, ...options });
  return opened.use(connection).registry;
}

function opening(bytes: Buffer, opens: number[] = []): (offset: number) => AsyncIterable<Uint8Array> {
  return async function* (offset) {
    opens.push(offset);
    for (let at = offset; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
  };
}

describe('writeBlob()', () => {
  const bytes = randomBytes(1_000_000);
  const digest = digestOfBytes(bytes);
  const upload = { digest, sizeBytes: bytes.length, open: opening(bytes) };

  it('uploads once, then finds the blob present, and mounts it elsewhere', async () => {
    const registry = connect();
    expect(await registry.writeBlob('a/b', upload, signal)).toBe('uploaded');
    expect(server.blobs.get(digest)?.equals(bytes)).toBe(true);
    expect(await registry.writeBlob('a/b', upload, signal)).toBe('present');
    expect(await registry.writeBlob('a/c', { ...upload, mountFrom: 'a/b' }, signal)).toBe('mounted');
    expect(await registry.writeBlob('a/d', { ...upload, mountFrom: 'a/none' }, signal)).toBe('uploaded');
    expect(await registry.statBlob('a/c', digest, signal)).toBe(bytes.length);
  });

  it('goes on where a break left the registry, without sending what it has again', async () => {
    const breaks = [300_000, 200_000];
    server.meddle = ({ method }) => {
      const at = method === 'PATCH' ? breaks.shift() : undefined;
      return at === undefined ? undefined : { cutRequestAt: at };
    };
    const opens: number[] = [];
    await connect().writeBlob('a/b', { ...upload, open: opening(bytes, opens) }, signal);
    expect(opens).toEqual([0, 300_000, 500_000]);
    expect(server.blobs.get(digest)?.equals(bytes)).toBe(true);
  });

  it('sends pieces of the size wanted', async () => {
    await connect().writeBlob('a/b', { ...upload, chunkBytes: 400_000 }, signal);
    const ranges = server.headers.map((headers) => headers['content-range']).filter(Boolean);
    expect(ranges).toEqual(['0-399999', '400000-799999', '800000-999999']);
    expect(server.blobs.get(digest)?.equals(bytes)).toBe(true);
  });

  it('begins again when the registry has forgotten the upload', async () => {
    let isBroken = false;
    server.meddle = ({ method }) => {
      if (method === 'PATCH' && !isBroken) {
        isBroken = true;
        return { cutRequestAt: 1000 };
      }
      return method === 'GET' ? { status: 404 } : undefined;
    };
    const opens: number[] = [];
    await connect().writeBlob('a/b', { ...upload, open: opening(bytes, opens) }, signal);
    expect(opens).toEqual([0, 0]);
  });

  it('gives up when nothing arrives any more, and cancels the upload', async () => {
    server.meddle = ({ method }) => (method === 'PATCH' ? { status: 503 } : undefined);
    await expect(connect().writeBlob('a/b', upload, signal)).rejects.toMatchObject({ class: 'Unavailable' });
    expect(server.requests.at(-1)).toMatch(/^DELETE /);
    expect(server.requests.filter((line) => line.startsWith('PATCH'))).toHaveLength(5);
  });

  it('does not repeat what the registry refuses', async () => {
    const body = '{"errors":[{"code":"DENIED","message":"Quota exceeded"}]}';
    server.meddle = ({ method }) => (method === 'POST' ? { status: 403, body } : undefined);
    await expect(connect().writeBlob('a/b', upload, signal)).rejects.toThrow('Quota exceeded');
    expect(server.requests.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });
});

describe('readBlob()', () => {
  it('resumes after breaks and verifies', async () => {
    const bytes = randomBytes(500_000);
    const digest = server.addBlob('a/b', bytes);
    let left = 2;
    server.meddle = ({ method }) => (method === 'GET' && left-- > 0 ? { cutAnswerAt: 200_000 } : undefined);
    const read = await Array.fromAsync(connect().readBlob('a/b', { digest }, { signal }));
    expect(Buffer.concat(read).equals(bytes)).toBe(true);
    expect(server.headers.some(({ range }) => /^bytes=[1-9]/.test(String(range)))).toBe(true);
  });

  it('fails when the content is another', async () => {
    const digest = server.addBlob('a/b', randomBytes(1000));
    server.blobs.set(digest, randomBytes(1000));
    const reading = Array.fromAsync(connect().readBlob('a/b', { digest, sizeBytes: 1000 }, { signal }));
    await expect(reading).rejects.toMatchObject({ code: 'REGISTRY_CHECKSUM' });
  });

  it('follows a redirect without giving the credentials away', async () => {
    const bytes = randomBytes(1000);
    const digest = server.addBlob('a/b', bytes);
    const seen: (string | undefined)[] = [];
    const storage = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end(bytes);
    });
    await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
    opened.defer(() => void storage.close());
    const location = `http://127.0.0.1:${(storage.address() as AddressInfo).port}/x`;
    server.meddle = ({ headers }) =>
      headers['authorization'] === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
        : { status: 307, headers: { location } };
    const registry = connect({ credentials: { username: 'ada', password: 'secret' } });
    expect(Buffer.concat(await Array.fromAsync(registry.readBlob('a/b', { digest }, { signal })))).toEqual(bytes);
    expect(seen).toEqual([undefined]);
  });
});

describe('tokens', () => {
  const answer = (token: string): { readonly status: number; readonly body: string } => ({
    status: 200,
    body: JSON.stringify({ token, expires_in: 3600 }),
  });

  it('are fetched for the scope, kept, and fetched again when the registry takes them no more', async () => {
    server.addManifest('a/b', 'v1', { mediaType: MEDIA_TYPES.ociManifest });
    let valid = 'one';
    server.meddle = ({ headers, url }) => {
      if (url.pathname === '/token') return answer(valid);
      if (headers['authorization'] === `Bearer ${valid}`) return undefined;
      // As Harbor does: who brought a token that has ended is asked for a password.
      const challenge =
        headers['authorization'] === undefined ? `Bearer realm="${server.url}/token"` : 'Basic realm="x"';
      return { status: 401, headers: { 'www-authenticate': challenge } };
    };
    const registry = connect();
    expect(await registry.headManifest('a/b', 'v1', signal)).toBeDefined();
    expect(await registry.headManifest('a/b', 'v1', signal)).toBeDefined();
    const asked = server.requests.filter((line) => line.includes('/token'));
    expect(asked).toEqual(['GET /token?scope=repository%3Aa%2Fb%3Apull']);
    valid = 'two';
    expect(await registry.headManifest('a/b', 'v1', signal)).toBeDefined();
  });

  it('that end in the middle of an upload do not end the upload', async () => {
    const bytes = randomBytes(300_000);
    let valid = 'one';
    server.meddle = ({ headers, method, url }) => {
      if (url.pathname === '/token') return answer(valid);
      if (headers['authorization'] !== `Bearer ${valid}`) {
        return { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.url}/token"` } };
      }
      if (method === 'POST') valid = 'two';
      return undefined;
    };
    const digest = digestOfBytes(bytes);
    await connect().writeBlob('a/b', { digest, sizeBytes: bytes.length, open: opening(bytes) }, signal);
    expect(server.blobs.get(digest)?.equals(bytes)).toBe(true);
  });
});

describe('lists', () => {
  it('are followed page by page', async () => {
    const names = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'];
    for (const name of names) server.addManifest('a/b', name, { mediaType: MEDIA_TYPES.ociManifest, name });
    expect(await Array.fromAsync(connect().listTags('a/b', signal))).toEqual(names);
    for (const name of names) server.addBlob(`p/${name}`, Buffer.from(name));
    expect(await Array.fromAsync(connect().listRepositories(signal))).toHaveLength(8);
    expect(await Array.fromAsync(connect().listTags('no/such', signal))).toEqual([]);
  });

  it('of referrers come from the API, or from the fallback tag where there is none', async () => {
    const subject = server.addManifest('a/b', 'v1', { mediaType: MEDIA_TYPES.ociManifest });
    const document = { mediaType: MEDIA_TYPES.ociManifest, artifactType: 'x/sig', subject: { digest: subject } };
    const signature = server.addManifest('a/b', 'sig', document);
    expect(await connect().listReferrers('a/b', subject, signal)).toMatchObject([{ digest: signature }]);
    server.hasReferrers = false;
    expect(await connect().listReferrers('a/b', subject, signal)).toEqual([]);
    const manifests = [{ digest: signature, mediaType: MEDIA_TYPES.ociManifest, size: 1, artifactType: 'x/sig' }];
    server.addManifest('a/b', subject.replace(':', '-'), { mediaType: MEDIA_TYPES.ociIndex, manifests });
    expect(await connect().listReferrers('a/b', subject, signal)).toMatchObject([{ digest: signature }]);
  });
});

describe('a registry that limits requests', () => {
  const busy = { status: 429, headers: { 'retry-after': '0' } };

  it('is asked again when it says so', async () => {
    server.addManifest('a/b', 'v1', { mediaType: MEDIA_TYPES.ociManifest });
    let left = 2;
    server.meddle = () => (left-- > 0 ? busy : undefined);
    expect(await connect().headManifest('a/b', 'v1', signal)).toBeDefined();
    expect(server.requests).toHaveLength(3);
  });

  it('is not waited for longer than wanted; the error tells when to come back', async () => {
    server.meddle = () => ({ status: 429, headers: { 'retry-after': '120' } });
    await expect(connect().headManifest('a/b', 'v1', signal)).rejects.toMatchObject({
      code: 'REGISTRY_BUSY',
      retryAfterMs: 120_000,
    });
    expect(server.requests).toHaveLength(1);
  });
});

it('getManifest() refuses a manifest that is not that of its digest', async () => {
  const digest = server.addManifest('a/b', 'v1', { mediaType: MEDIA_TYPES.ociManifest });
  server.meddle = () => ({ status: 200, headers: { 'content-type': MEDIA_TYPES.ociManifest }, body: '{}' });
  await expect(connect().getManifest('a/b', digest, signal)).rejects.toThrow('manifest verification failed');
});

it('deleteManifest() tells whether there was something', async () => {
  server.addManifest('a/b', 'v1', { mediaType: MEDIA_TYPES.ociManifest });
  const registry = connect();
  expect(await registry.deleteManifest('a/b', 'v1', signal)).toBe(true);
  expect(await registry.deleteManifest('a/b', 'v1', signal)).toBe(false);
});

it('connectRegistry() refuses URLs that are none, or carry credentials, without repeating these', () => {
  expect(() => connectRegistry({ url: 'ftp://x' })).toThrow('is not the http or https URL');
  expect(() => connectRegistry({ url: 'https://a:hidden@x' })).toThrow(/^(?!.*hidden)/);
});
