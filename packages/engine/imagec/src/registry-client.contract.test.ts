import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { digestOfBytes, parseReference } from '@vic/oci';
import { run } from '@vic/process';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decompressLayer, RegistryClient, verifiedStream } from './index.ts';
import type { RegistryCredentials, ResolvedImage } from './index.ts';
import { makeImage, pushImage, startRegistry } from './testing/index.ts';
import type { RegistryOptions } from './testing/index.ts';

const never = new AbortController().signal;
const cleanup = new AsyncDisposableStack();
let layout = '';
let domain = '';

beforeAll(async () => {
  const { path } = cleanup.use(await temporaryDirectory());
  layout = join(path, 'layout');
  // Random, so that the blob is large and a change is never hidden by compression.
  await run('dd', ['if=/dev/urandom', `of=${join(path, 'random')}`, 'bs=1M', 'count=3']);
  await run('tar', ['-C', path, '-cf', join(path, 'layer.tar'), 'random']);
  await makeImage({ layout, tag: 'one', layers: [join(path, 'layer.tar')] });
  ({ domain } = cleanup.use(await startRegistry()));
  await pushImage(`${layout}:one`, `${domain}/lib/one:oci`);
});

afterAll(async () => cleanup.disposeAsync());

function newClient(options: { readonly stallTimeoutMs?: number } = {}): RegistryClient {
  return new RegistryClient({ insecureRegistries: ['127.0.0.1'], resumeDelayMs: 5, ...options });
}

async function pullLayers(
  client: RegistryClient,
  name: string,
  credentials?: RegistryCredentials,
): Promise<ResolvedImage> {
  const reference = parseReference(name);
  const options = { signal: never, ...(credentials === undefined ? {} : { credentials }) };
  const image = await client.resolve(reference, options);
  for (const [index, layer] of image.manifest.layers.entries()) {
    const tar = decompressLayer(client.openBlob(reference, layer, options));
    let size = 0;
    for await (const chunk of verifiedStream(tar, { digest: image.config.diffIds[index] ?? layer.digest }))
      size += chunk.length;
    expect(size).toBeGreaterThan(3_000_000);
  }
  return image;
}

test.each([
  ['oci', 'gzip'],
  ['v2s2', 'gzip'],
  ['oci', 'zstd'],
] as const)('a %s manifest with %s layers is resolved, downloaded and verified', async (format, compression) => {
  // A registry of its own: skopeo would reuse the other formats' blobs.
  await using registry = await startRegistry();
  const name = `${registry.domain}/lib/one`;
  await pushImage(`${layout}:one`, `${name}:1`, { format, compression });
  await using client = newClient();
  const image = await pullLayers(client, `${name}:1`);
  expect(image.manifest.mediaType).toContain(format === 'oci' ? 'oci' : 'docker');
  expect(image.manifest.layers[0]?.mediaType).toContain(compression);
  expect(digestOfBytes(image.rawConfig)).toBe(image.manifest.config.digest);
  expect(await client.currentDigest(parseReference(`${name}:1`), { signal: never })).toBe(image.digest);
  const byDigest = await client.resolve(parseReference(`${name}@${image.digest}`), { signal: never });
  expect(byDigest.rawConfig).toBe(image.rawConfig);
});

test('of a multi-platform image the one for linux/amd64 is taken', async () => {
  await using client = newClient();
  const one = await client.resolve(parseReference(`${domain}/lib/one:oci`), { signal: never });
  const entry = (architecture: string, digest: string): object => ({
    mediaType: one.manifest.mediaType,
    digest,
    size: Buffer.byteLength(one.rawManifest),
    platform: { os: 'linux', architecture },
  });
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifests: [entry('arm64', one.manifestDigest), entry('amd64', one.manifestDigest)],
  });
  const put = await fetch(`http://${domain}/v2/lib/one/manifests/multi`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.docker.distribution.manifest.list.v2+json' },
    body: index,
  });
  expect(put.status).toBe(201);
  const multi = await client.resolve(parseReference(`${domain}/lib/one:multi`), { signal: never });
  expect(multi.digest).toBe(digestOfBytes(index));
  expect(multi.manifestDigest).toBe(one.manifestDigest);
  const wanted = { signal: never, platform: { os: 'linux', architecture: 's390x' } };
  await expect(client.resolve(parseReference(`${domain}/lib/one:multi`), wanted)).rejects.toThrow(
    'no matching manifest for linux/s390x in the manifest list entries',
  );
  await expect(client.resolve(parseReference(`${domain}/lib/one:oci`), wanted)).rejects.toThrow('not linux/s390x');
});

test('what is not there is refused in Docker’s words', async () => {
  await using client = newClient();
  const resolve = async (name: string): Promise<ResolvedImage> =>
    client.resolve(parseReference(name), { signal: never });
  await expect(resolve(`${domain}/lib/one:nope`)).rejects.toThrow(
    `manifest for ${domain}/lib/one:nope not found: manifest unknown: manifest unknown`,
  );
  await expect(resolve(`${domain}/lib/none:1`)).rejects.toMatchObject({ class: 'NotFound' });
  await expect(resolve(`127.0.0.1:${await freePort()}/x`)).rejects.toThrow('connection refused');
  await expect(resolve('no-such-host.invalid/x')).rejects.toThrow('no such host');
});

test('a registry that was not listed as insecure is never spoken to without TLS', async () => {
  await using client = new RegistryClient();
  await expect(client.resolve(parseReference(`${domain}/lib/one:oci`), { signal: never })).rejects.toMatchObject({
    code: 'HTTP_NOT_TLS',
  });
});

const htpasswd: RegistryOptions = {
  auth: async (directory) => {
    const { stdout } = await run('python3', [
      '-W',
      'ignore',
      '-c',
      'import crypt;print("alice:"+crypt.crypt("secret",crypt.mksalt(crypt.METHOD_BLOWFISH,rounds=32)))',
    ]);
    await writeFile(join(directory, 'htpasswd'), stdout.replace('$2b$', '$2y$'));
    return `  htpasswd: {realm: test, path: ${join(directory, 'htpasswd')}}`;
  },
};

test('basic authentication: login, pull, and their refusals', async () => {
  await using registry = await startRegistry(htpasswd);
  await pushImage(`${layout}:one`, `${registry.domain}/p/one:1`, { credentials: 'alice:secret' });
  await using client = newClient();
  const alice = { username: 'alice', password: 'secret' };
  expect(await client.login(registry.domain, alice, never)).toEqual({ identityToken: undefined });
  await pullLayers(client, `${registry.domain}/p/one:1`, alice);
  const wrong = { username: 'alice', password: 'wrong' };
  await expect(client.login(registry.domain, wrong, never)).rejects.toThrow(
    'unauthorized: incorrect username or password',
  );
  await expect(pullLayers(client, `${registry.domain}/p/one:1`)).rejects.toThrow(
    `pull access denied for ${registry.domain}/p/one, repository does not exist or may require 'docker login'`,
  );
  await expect(pullLayers(client, `${registry.domain}/p/one:1`, wrong)).rejects.toMatchObject({
    code: 'REGISTRY_DENIED',
  });
});

test('token authentication: by password, by refresh token, once per scope', async () => {
  const { registry, tokens, requests } = await tokenRegistry();
  await using _registry = registry;
  await using _tokens = tokens;
  await pushImage(`${layout}:one`, `${registry.domain}/p/one:1`, { credentials: 'alice:secret' });
  requests.length = 0;
  await using client = newClient();
  const alice = { username: 'alice', password: 'secret' };
  expect(await client.login(registry.domain, alice, never)).toEqual({ identityToken: 'refresh-alice' });
  requests.length = 0;
  await pullLayers(client, `${registry.domain}/p/one:1`, alice);
  expect(requests).toEqual(['GET repository:p/one:pull']);
  await pullLayers(client, `${registry.domain}/p/one:1`, { identityToken: 'refresh-alice' });
  expect(requests.at(-1)).toBe('POST repository:p/one:pull');
  await expect(client.login(registry.domain, { username: 'alice', password: 'x' }, never)).rejects.toThrow(
    'incorrect username or password',
  );
  await expect(pullLayers(client, `${registry.domain}/p/one:1`)).rejects.toThrow('pull access denied for');
  await expect(pullLayers(client, `${registry.domain}/p/one:1`, { identityToken: 'stolen' })).rejects.toMatchObject({
    class: 'Unauthenticated',
  });
});

test('a blob that was changed on its way fails the pull', async () => {
  await using relay = await startRelay((url, bytes) =>
    url.includes('/blobs/') && bytes.length > 100_000 ? { bytes: flipped(bytes) } : { bytes },
  );
  await using client = newClient();
  await expect(pullLayers(client, `${relay.domain}/lib/one:oci`)).rejects.toThrow(
    'filesystem layer verification failed for digest sha256:',
  );
});

test('a manifest that is not that of its digest is refused', async () => {
  await using client = newClient();
  const { digest } = await client.resolve(parseReference(`${domain}/lib/one:oci`), { signal: never });
  await using relay = await startRelay((url, bytes) => ({
    bytes: url.includes('/manifests/') ? Buffer.concat([bytes, Buffer.from(' ')]) : bytes,
  }));
  await expect(client.resolve(parseReference(`${relay.domain}/lib/one@${digest}`), { signal: never })).rejects.toThrow(
    'manifest verification failed',
  );
});

test('connections that are cut are resumed where they stopped, and given up when nothing comes any more', async () => {
  let cuts = 0;
  await using relay = await startRelay((url, bytes) => {
    if (!url.includes('/blobs/') || bytes.length < 700_000) return { bytes };
    cuts++;
    return { bytes: bytes.subarray(0, 700_000), cut: true };
  });
  await using client = newClient();
  await pullLayers(client, `${relay.domain}/lib/one:oci`);
  expect(cuts).toBeGreaterThan(2);
  expect(relay.ranges.some((range) => /^bytes=[1-9]/.test(range))).toBe(true);
  await using dead = await startRelay((url, bytes) =>
    url.includes('/blobs/') && bytes.length > 100_000 ? { bytes: Buffer.alloc(0), cut: true } : { bytes },
  );
  await expect(pullLayers(client, `${dead.domain}/lib/one:oci`)).rejects.toMatchObject({ class: 'Unavailable' });
});

test('a transfer that stalls is broken off and resumed', async () => {
  let stalls = 0;
  await using relay = await startRelay((url, bytes) =>
    url.includes('/blobs/') && bytes.length > 1_000_000 && stalls++ === 0
      ? { bytes: bytes.subarray(0, 500_000), stall: true }
      : { bytes },
  );
  await using client = newClient({ stallTimeoutMs: 1500 });
  await pullLayers(client, `${relay.domain}/lib/one:oci`);
  expect(stalls).toBeGreaterThan(0);
});

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[bytes.length >> 1] = (changed[bytes.length >> 1] ?? 0) ^ 1;
  return changed;
}

type Meddle = (
  url: string,
  bytes: Buffer,
) => { readonly bytes: Buffer; readonly cut?: boolean; readonly stall?: boolean };

/** A relay in front of the registry that changes, cuts or stalls what passes. */
async function startRelay(
  meddle: Meddle,
): Promise<AsyncDisposable & { readonly domain: string; readonly ranges: string[] }> {
  const ranges: string[] = [];
  const server = createServer((incoming, outgoing) => {
    if (incoming.headers.range !== undefined) ranges.push(incoming.headers.range);
    const options = { method: incoming.method, headers: { ...incoming.headers, host: domain } };
    const upstream = request(
      `http://${domain}${incoming.url}`,
      options,
      (answer) => void relayed(incoming, answer, outgoing, meddle),
    );
    upstream.end();
  });
  return { domain: await listen(server), ranges, [Symbol.asyncDispose]: async () => close(server) };
}

async function relayed(
  incoming: IncomingMessage,
  answer: IncomingMessage,
  outgoing: ServerResponse,
  meddle: Meddle,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  const { bytes, cut, stall } = meddle(incoming.url ?? '', whole);
  const headers = { ...answer.headers };
  if (incoming.method !== 'HEAD')
    headers['content-length'] = String(cut === true || stall === true ? whole.length : bytes.length);
  outgoing.writeHead(answer.statusCode ?? 500, headers);
  if (cut === true) outgoing.write(bytes, () => void setTimeout(() => outgoing.destroy(), 20));
  else if (stall === true) outgoing.write(bytes);
  else outgoing.end(bytes);
}

/** A registry whose tokens come from a service of our own: RS256 with the certificate in the header, as it wants them. */
async function tokenRegistry(): Promise<{
  registry: Awaited<ReturnType<typeof startRegistry>>;
  tokens: AsyncDisposable;
  requests: string[];
}> {
  const requests: string[] = [];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let certificate = '';
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => void chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://x');
      const form =
        incoming.method === 'POST' ? new URLSearchParams(Buffer.concat(chunks).toString()) : url.searchParams;
      const scope = form.get('scope') ?? '';
      requests.push(`${incoming.method} ${scope}`);
      const basic = incoming.headers.authorization;
      const isAlice =
        basic === `Basic ${Buffer.from('alice:secret').toString('base64')}` ||
        form.get('refresh_token') === 'refresh-alice';
      if (!isAlice && (basic !== undefined || incoming.method === 'POST'))
        return void outgoing.writeHead(401).end('{}');
      const [type = '', name = '', actions = ''] = scope.split(':');
      const access = scope === '' || !isAlice ? [] : [{ type, name, actions: actions.split(',') }];
      const now = Math.floor(Date.now() / 1000);
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const x5c = [certificate.replaceAll(/-----.*?-----|\s/g, '')];
      const claims = {
        iss: 'test',
        sub: 'alice',
        aud: 'reg',
        exp: now + 300,
        nbf: now - 10,
        iat: now,
        jti: String(now),
        access,
      };
      const signed = `${part({ typ: 'JWT', alg: 'RS256', x5c })}.${part(claims)}`;
      const token = `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
      const refresh = url.searchParams.get('offline_token') === 'true' ? { refresh_token: 'refresh-alice' } : {};
      return void outgoing.end(JSON.stringify({ token, expires_in: 300, ...refresh }));
    });
  });
  const service = await listen(server);
  const registry = await startRegistry({
    auth: async (directory) => {
      await writeFile(join(directory, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const { stdout } = await run('openssl', [
        'req',
        '-x509',
        '-new',
        '-key',
        join(directory, 'key.pem'),
        '-subj',
        '/CN=test',
        '-days',
        '2',
      ]);
      certificate = stdout;
      await writeFile(join(directory, 'cert.pem'), stdout);
      return `  token: {realm: "http://${service}/token", service: reg, issuer: test, rootcertbundle: ${join(directory, 'cert.pem')}}`;
    },
  });
  return { registry, tokens: { [Symbol.asyncDispose]: async () => close(server) }, requests };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return `127.0.0.1:${address.port}`;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
