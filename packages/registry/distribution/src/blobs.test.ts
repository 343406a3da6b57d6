import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { pollUntil } from '@vic/async';
import { MEDIA_TYPES, contentDigestOf, digestOfBytes } from '@vic/oci';
import { adoptBlob, condemnBlobs, forgetBlob } from '@vic/repositories';
import { VicError } from '@vic/errors';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { OCTETS, RegistryClient } from './testing/registry-client.ts';
import { type TestRegistry, startTestRegistry } from './testing/test-registry.ts';

const REPOSITORY = 'library/app';
const NOWHERE = digestOfBytes('nowhere');
/** Uploads are written to disk, and count as arrived, by so much at a time. */
const BATCH_BYTES = 2 ** 20;

describe('blobs', () => {
  it('are served whole, in ranges, and not at all to who has them already', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const content = randomBytes(1000);
    const digest = await client.blob(REPOSITORY, content);
    const path = `/v2/${REPOSITORY}/blobs/${digest}`;

    const whole = await client.send('GET', path);
    expect(whole).toMatchObject({ status: 200, body: content });
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'docker-content-digest': digest,
      'content-length': '1000',
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      etag: `"${digest}"`,
      'docker-distribution-api-version': 'registry/2.0',
    });
    const head = await client.send('HEAD', path);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
    expect((await client.send('GET', path, { 'if-none-match': `W/"x", "${digest}"` })).status).toBe(304);

    const get = async (range: string, more = {}) => client.send('GET', path, { range, ...more });
    const part = await get('bytes=10-19');
    expect(part).toMatchObject({ status: 206, body: content.subarray(10, 20) });
    expect(part.headers.get('content-range')).toBe('bytes 10-19/1000');
    expect((await get('bytes=990-')).body).toEqual(content.subarray(990));
    expect((await get('bytes=-5')).body).toEqual(content.subarray(995));
    expect((await get('bytes=990-5000')).headers.get('content-range')).toBe('bytes 990-999/1000');
    const outside = await get('bytes=1000-1001');
    expect([outside.status, outside.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
    expect((await get('bytes=0-1,5-6')).body).toEqual(content);
    expect((await get('pages=1-2')).body).toEqual(content);
    expect((await get('bytes=0-1', { 'if-range': `"${digest}"` })).status).toBe(206);
    expect((await get('bytes=0-1', { 'if-range': '"other"' })).status).toBe(200);
  });

  it('are not there for other repositories, and answer with the codes of the specification', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const digest = await client.blob(REPOSITORY, 'content');
    expect(await client.send('GET', `/v2/library/other/blobs/${digest}`)).toMatchObject({
      status: 404,
      codes: ['BLOB_UNKNOWN'],
    });
    for (const [path, status, code] of [
      [`/v2/library/app/blobs/sha256:short`, 400, 'DIGEST_INVALID'],
      [`/v2/library/App/blobs/${digest}`, 400, 'NAME_INVALID'],
      [`/v2/nowhere/app/blobs/${digest}`, 404, 'NAME_UNKNOWN'],
      [`/v2/library/app/blobs/uploads/unknown`, 404, 'BLOB_UPLOAD_UNKNOWN'],
      [`/v2/library/app/things`, 405, 'UNSUPPORTED'],
      [`/v2/library/app/blobs/${digest.replace(':', '%3A')}`, 200, undefined],
    ] as const) {
      const answer = await client.send('GET', path);
      expect([path, answer.status, answer.codes[0]]).toEqual([path, status, code]);
      expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    }
  });

  it('can be deleted unless a manifest needs them', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const loose = await client.blob(REPOSITORY, 'loose');
    expect((await client.send('DELETE', `/v2/${REPOSITORY}/blobs/${loose}`)).status).toBe(202);
    expect((await client.send('HEAD', `/v2/${REPOSITORY}/blobs/${loose}`)).status).toBe(404);
    expect((await client.send('DELETE', `/v2/${REPOSITORY}/blobs/${loose}`)).status).toBe(404);
    const { manifest } = await client.image(REPOSITORY, 'v1');
    const { layers } = JSON.parse(manifest.toString()) as { layers: { digest: string }[] };
    const used = `/v2/${REPOSITORY}/blobs/${layers[0]?.digest}`;
    expect(await client.send('DELETE', used)).toMatchObject({ status: 405, codes: ['UNSUPPORTED'] });
    expect((await client.send('HEAD', used)).status).toBe(200);
  });

  it('that are damaged are missing, so that they are pushed again', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const digest = await client.blob(REPOSITORY, 'content');
    await registry.blobs.remove(digest);
    expect((await client.send('HEAD', `/v2/${REPOSITORY}/blobs/${digest}`)).status).toBe(404);
    expect((await client.send('GET', `/v2/${REPOSITORY}/blobs/${digest}`)).status).toBe(404);
    await client.blob(REPOSITORY, 'content');
    expect((await client.send('GET', `/v2/${REPOSITORY}/blobs/${digest}`)).body.toString()).toBe('content');
  });
});

describe('uploads', () => {
  it('come in chunks, in order, and can be asked where they are', async () => {
    await using registry = await startTestRegistry({ minChunkBytes: 5 });
    const client = new RegistryClient(registry.url);
    const begun = await client.send('POST', `/v2/${REPOSITORY}/blobs/uploads/`);
    expect([begun.status, begun.headers.get('range'), begun.headers.get('oci-chunk-min-length')]).toEqual([
      202,
      '0-0',
      '5',
    ]);
    const location = begun.headers.get('location') ?? '';
    expect(location).toContain(begun.headers.get('docker-upload-uuid'));

    const first = await client.send('PATCH', location, { ...OCTETS, 'content-range': '0-4' }, 'hello');
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-4']);
    const early = await client.send('PATCH', location, { ...OCTETS, 'content-range': '9-10' }, 'xy');
    expect([early.status, early.headers.get('range'), early.codes]).toEqual([416, '0-4', ['BLOB_UPLOAD_INVALID']]);
    const wrong = await client.send('PATCH', location, { ...OCTETS, 'content-range': '5-10' }, 'xy');
    expect(wrong).toMatchObject({ status: 400, codes: ['SIZE_INVALID'] });
    const status = await client.send('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-4']);

    const digest = digestOfBytes('hello world');
    const late = await client.send('PUT', `${location}?digest=${digest}`, { 'content-range': '0-5' }, ' world');
    expect(late.status).toBe(416);
    const done = await client.send('PUT', `${location}?digest=${digest}`, { 'content-range': '5-10' }, ' world');
    expect([done.status, done.headers.get('location')]).toEqual([201, `/v2/${REPOSITORY}/blobs/${digest}`]);
    expect((await client.send('GET', location)).codes).toEqual(['BLOB_UPLOAD_UNKNOWN']);
  });

  it('go on after the registry was started again', async () => {
    await using directory = await temporaryDirectory('vic-distribution-');
    let location: string;
    {
      await using registry = await startTestRegistry({ directory: directory.path });
      const client = new RegistryClient(registry.url);
      location = await client.upload(REPOSITORY);
      await client.send('PATCH', location, OCTETS, 'before ');
    }
    await using registry = await startTestRegistry({ directory: directory.path });
    const client = new RegistryClient(registry.url);
    expect((await client.send('GET', location)).headers.get('range')).toBe('0-6');
    await client.send('PATCH', location, OCTETS, 'after');
    const digest = digestOfBytes('before after');
    expect((await client.send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    expect((await client.send('GET', `/v2/${REPOSITORY}/blobs/${digest}`)).body.toString()).toBe('before after');
  });

  it('keep what arrived when a client goes away, and let it resume', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const location = await client.upload(REPOSITORY);
    const half = 'x'.repeat(BATCH_BYTES);
    await using upload = beginUpload(registry, location, half);
    const untilStored = async (): Promise<true> =>
      pollUntil(
        async () =>
          (await client.send('GET', location)).headers.get('range') === `0-${BATCH_BYTES - 1}` ? true : undefined,
        10,
        AbortSignal.timeout(20_000),
      );
    await untilStored();
    await upload.hangUp();
    await untilStored();
    const range = `${BATCH_BYTES}-${BATCH_BYTES + 3}`;
    expect((await client.send('PATCH', location, { ...OCTETS, 'content-range': range }, 'done')).status).toBe(202);
    const digest = digestOfBytes(`${half}done`);
    expect((await client.send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
  });

  it('refuse content of another digest, and algorithms nobody knows', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const location = await client.upload(REPOSITORY);
    const answer = await client.send('PUT', `${location}?digest=${NOWHERE}`, OCTETS, 'content');
    expect(answer).toMatchObject({ status: 400, codes: ['DIGEST_INVALID'] });
    for (const query of ['digest=md5:abc', 'mount=md5:abc', 'digest-algorithm=md5']) {
      const refused = await client.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?${query}`);
      expect(refused).toMatchObject({ status: 400, codes: ['DIGEST_INVALID'] });
    }
    expect((await client.send('PUT', location)).codes).toEqual(['DIGEST_INVALID']);
  });

  it('take sha512, and can be cancelled', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const begun = await client.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest-algorithm=sha512`);
    const location = begun.headers.get('location') ?? '';
    const digest = contentDigestOf('sha512', 'strong');
    expect((await client.send('PUT', `${location}?digest=${digest}`, OCTETS, 'strong')).status).toBe(201);
    expect((await client.send('GET', `/v2/${REPOSITORY}/blobs/${digest}`)).body.toString()).toBe('strong');
    const cancelled = await client.upload(REPOSITORY);
    expect((await client.send('DELETE', cancelled)).status).toBe(204);
    expect((await client.send('DELETE', cancelled)).codes).toEqual(['BLOB_UPLOAD_UNKNOWN']);
  });

  it('mount from a repository, named or found, or fall through to an upload', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const digest = await client.blob('library/source', 'shared');
    const mount = async (query: string) => client.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?${query}`);
    expect((await mount(`mount=${digest}&from=library/elsewhere`)).status).toBe(202);
    expect((await mount(`mount=${NOWHERE}`)).status).toBe(202);
    expect((await mount(`mount=${digest}&from=Bad`)).codes).toEqual(['NAME_INVALID']);
    const mounted = await mount(`mount=${digest}&from=library/source`);
    expect([mounted.status, mounted.headers.get('docker-content-digest')]).toEqual([201, digest]);
    const found = await client.send('POST', `/v2/library/third/blobs/uploads/?mount=${digest}`);
    expect(found.status).toBe(201);
    expect((await client.send('HEAD', `/v2/library/third/blobs/${digest}`)).status).toBe(200);
  });

  it('are refused by gates before anything is kept', async () => {
    const beforeBlob = async ({ sizeBytesToAdd }: { readonly sizeBytesToAdd: number }): Promise<void> => {
      if (sizeBytesToAdd <= 10) return;
      throw new VicError({ class: 'PermissionDenied', code: 'QUOTA_DENIED', message: 'Quota exceeded' });
    };
    await using registry = await startTestRegistry({ gates: [{ name: 'quota', beforeBlob }] });
    const client = new RegistryClient(registry.url);
    await client.blob(REPOSITORY, 'small');
    const content = 'rather large';
    const whole = `/v2/${REPOSITORY}/blobs/uploads/?digest=${digestOfBytes(content)}`;
    expect(await client.send('POST', whole, OCTETS, content)).toMatchObject({ status: 403, codes: ['DENIED'] });
    const location = await client.upload(REPOSITORY);
    expect((await client.send('PATCH', location, OCTETS, 'half of')).status).toBe(202);
    expect((await client.send('PATCH', location, OCTETS, ' it')).status).toBe(202);
    expect((await client.send('PATCH', location, OCTETS, 'more')).codes).toEqual(['DENIED']);
    const digest = digestOfBytes('half of it');
    expect((await client.send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
  });

  it('say which project is missing, and that a push does not make one', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const messageOf = async (method: string, path: string): Promise<string> => {
      const { codes, body } = await client.send(method, path);
      expect(codes).toEqual(['NAME_UNKNOWN']);
      return body.toString();
    };
    expect(await messageOf('POST', '/v2/nowhere/app/blobs/uploads/')).toContain(
      'nowhere/app: the project nowhere does not exist, and a push does not make one',
    );
    expect(await messageOf('GET', '/v2/nowhere/app/tags/list')).toMatch(/the project nowhere does not exist"/);
    expect(await messageOf('POST', '/v2/app/blobs/uploads/')).toContain('it is in no project, as project/name is');
  });

  it('of a refused push leave no repository in lists', async () => {
    const beforePush = async (): Promise<void> => {
      throw new VicError({ class: 'PermissionDenied', code: 'QUOTA_DENIED', message: 'Quota exceeded' });
    };
    await using registry = await startTestRegistry({ gates: [{ name: 'quota', beforePush }] });
    const client = new RegistryClient(registry.url);
    const config = await client.blob('library/refused', '{}');
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: config, size: 2 },
      layers: [],
    });
    const type = { 'content-type': MEDIA_TYPES.ociManifest };
    expect(await client.send('PUT', '/v2/library/refused/manifests/v1', type, manifest)).toMatchObject({ status: 403 });
    expect((await client.send('GET', '/v2/_catalog')).body.toString()).toBe('{"repositories":[]}');
    expect((await client.send('GET', '/v2/library/refused/tags/list')).codes).toEqual(['NAME_UNKNOWN']);
    expect((await client.send('HEAD', `/v2/library/refused/blobs/${config}`)).status).toBe(200);
  });

  it('wait for the collector to finish with a blob that is pushed again', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const digest = digestOfBytes('collected');
    await adoptBlob(registry.database.db, { digest, sizeBytes: 9, modifiedAtMs: 0 });
    await registry.database.transaction(async (tx) => condemnBlobs(tx, { unclaimedSinceMs: 1, nowMs: 2, limit: 9 }));
    const [pushed] = await Promise.all([
      client.blob(REPOSITORY, 'collected'),
      (async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await forgetBlob(registry.database.db, digest);
      })(),
    ]);
    expect(pushed).toBe(digest);
    expect((await client.send('GET', `/v2/${REPOSITORY}/blobs/${digest}`)).body.toString()).toBe('collected');
  });
});

/** Announces more bytes than it sends, and waits. */
function beginUpload(
  registry: TestRegistry,
  path: string,
  some: string,
): AsyncDisposable & { readonly hangUp: () => Promise<void> } {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const outgoing = request(new URL(path, registry.url), {
    method: 'PATCH',
    headers: { 'content-length': some.length + 100, ...OCTETS },
  });
  outgoing.on('error', () => resolve());
  outgoing.on('close', () => resolve());
  outgoing.write(some);
  const hangUp = async (): Promise<void> => {
    outgoing.destroy();
    await closed;
  };
  return { hangUp, [Symbol.asyncDispose]: hangUp };
}
