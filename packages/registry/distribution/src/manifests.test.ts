import { MEDIA_TYPES, contentDigestOf, digestOfBytes } from '@vic/oci';
import { VicError } from '@vic/errors';
import type { TagDeleteSubject } from '@vic/repositories';
import { describe, expect, it } from 'vitest';
import { OCTETS, RegistryClient } from './testing/registry-client.ts';
import { startTestRegistry } from './testing/test-registry.ts';

const REPOSITORY = 'library/app';
const PATH = `/v2/${REPOSITORY}/manifests`;
const NOWHERE = digestOfBytes('nowhere');

describe('manifests', () => {
  it('come back byte for byte, by tag and by digest, unless the client has them', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const { digest, manifest, answer } = await client.image(REPOSITORY, 'v1');
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`${PATH}/${digest}`);
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
    for (const reference of ['v1', digest]) {
      const got = await client.send('GET', `${PATH}/${reference}`);
      expect(got).toMatchObject({ status: 200, body: manifest });
      expect(got.headers.get('content-type')).toBe(MEDIA_TYPES.ociManifest);
      const head = await client.send('HEAD', `${PATH}/${reference}`);
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(manifest.length)]);
      expect(head.headers.get('docker-content-digest')).toBe(digest);
      expect((await client.send('GET', `${PATH}/${reference}`, { 'if-none-match': `"${digest}"` })).status).toBe(304);
    }
    for (const [reference, status, code] of [
      ['v2', 404, 'MANIFEST_UNKNOWN'],
      ['.bad', 404, 'MANIFEST_UNKNOWN'],
      [NOWHERE, 404, 'MANIFEST_UNKNOWN'],
      ['sha256:abc', 400, 'DIGEST_INVALID'],
    ] as const) {
      expect(await client.send('GET', `${PATH}/${reference}`)).toMatchObject({ status, codes: [code] });
    }
  });

  it('are refused when malformed, too large, of an old schema, or of content that is not there', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const put = async (body: string, reference = 'v1', type: string = MEDIA_TYPES.ociManifest) =>
      client.putManifest(REPOSITORY, reference, body, type);
    expect(await put('{')).toMatchObject({ status: 400, codes: ['MANIFEST_INVALID'] });
    expect(await put('{"schemaVersion":2}')).toMatchObject({ status: 400, codes: ['MANIFEST_INVALID'] });
    expect(
      await put('{"schemaVersion":1}', 'v1', 'application/vnd.docker.distribution.manifest.v1+prettyjws'),
    ).toMatchObject({
      status: 400,
      codes: ['MANIFEST_INVALID'],
    });
    expect(await put(' '.repeat(4 * 1024 * 1024 + 1))).toMatchObject({ status: 413, codes: ['SIZE_INVALID'] });
    const config = { mediaType: MEDIA_TYPES.ociConfig, digest: NOWHERE, size: 1 };
    const layers = [{ ...config, digest: digestOfBytes('layer') }];
    const incomplete = await put(JSON.stringify({ schemaVersion: 2, config, layers }));
    expect(incomplete).toMatchObject({ status: 400, codes: ['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN'] });
    expect(incomplete.body.toString()).toContain(NOWHERE);
    const { manifest } = await client.image(REPOSITORY, 'v1');
    expect(await put(manifest.toString(), NOWHERE)).toMatchObject({ status: 400, codes: ['DIGEST_INVALID'] });
    expect(await put(manifest.toString(), '.bad')).toMatchObject({ status: 400, codes: ['TAG_INVALID'] });
    expect(await put(manifest.toString(), 'v1', MEDIA_TYPES.dockerManifest)).toMatchObject({
      codes: ['MANIFEST_INVALID'],
    });
  });

  it('take tags along, and any digest of their content', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const { manifest } = await client.image(REPOSITORY, 'v1');
    const digest = contentDigestOf('sha512', manifest);
    const pushed = await client.putManifest(REPOSITORY, `${digest}?tag=a&tag=b`, manifest);
    expect([pushed.status, pushed.headers.get('oci-tag')]).toEqual([201, 'a, b']);
    expect((await client.send('HEAD', `${PATH}/a`)).headers.get('docker-content-digest')).toBe(digest);
    const many = Array.from({ length: 51 }, (_, index) => `tag=t${index}`).join('&');
    expect((await client.putManifest(REPOSITORY, `${digest}?${many}`, manifest)).status).toBe(414);
  });

  it('are deleted by digest with their tags, by tag without anything else', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const { digest, manifest } = await client.image(REPOSITORY, 'v1');
    await client.putManifest(REPOSITORY, 'v2', manifest);
    expect((await client.send('DELETE', `${PATH}/v1`)).status).toBe(202);
    expect((await client.send('HEAD', `${PATH}/v1`)).status).toBe(404);
    expect((await client.send('HEAD', `${PATH}/${digest}`)).status).toBe(200);
    expect((await client.send('DELETE', `${PATH}/${digest}`)).status).toBe(202);
    expect((await client.send('HEAD', `${PATH}/v2`)).status).toBe(404);
    expect(await client.send('DELETE', `${PATH}/${digest}`)).toMatchObject({
      status: 404,
      codes: ['MANIFEST_UNKNOWN'],
    });
  });

  it('of an index keep what they list from being deleted', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const { digest, manifest } = await client.image(REPOSITORY, 'v1');
    const manifests = [{ mediaType: MEDIA_TYPES.ociManifest, digest, size: manifest.length }];
    await client.putManifest(REPOSITORY, 'all', JSON.stringify({ schemaVersion: 2, manifests }), MEDIA_TYPES.ociIndex);
    expect(await client.send('DELETE', `${PATH}/${digest}`)).toMatchObject({
      status: 412,
      codes: ['VIOLATE_FOREIGN_KEY_CONSTRAINT'],
    });
  });

  it('fit what a client accepts: old ones get the image of a list, or nothing', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const config = JSON.stringify({});
    const child = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: { mediaType: MEDIA_TYPES.dockerConfig, digest: await client.blob(REPOSITORY, config), size: 2 },
      layers: [],
    });
    await client.putManifest(REPOSITORY, digestOfBytes(child), child, MEDIA_TYPES.dockerManifest);
    const manifests = [
      {
        mediaType: MEDIA_TYPES.dockerManifest,
        digest: digestOfBytes(child),
        size: child.length,
        platform: { os: 'linux', architecture: 'amd64' },
      },
    ];
    const list = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.dockerList, manifests });
    await client.putManifest(REPOSITORY, 'list', list, MEDIA_TYPES.dockerList);
    await client.image(REPOSITORY, 'oci');
    const typeFor = async (tag: string, accept: string) => {
      const answer = await client.send('GET', `${PATH}/${tag}`, { accept });
      return answer.status === 200 ? answer.headers.get('content-type') : answer.status;
    };
    expect(await typeFor('list', MEDIA_TYPES.dockerManifest)).toBe(MEDIA_TYPES.dockerManifest);
    expect(await typeFor('list', `${MEDIA_TYPES.dockerList};q=0.5, x/y`)).toBe(MEDIA_TYPES.dockerList);
    expect(await typeFor('list', '*/*')).toBe(MEDIA_TYPES.dockerList);
    expect(await typeFor('oci', MEDIA_TYPES.dockerManifest)).toBe(404);
    expect(await typeFor('oci', 'application/json')).toBe(MEDIA_TYPES.ociManifest);
  });

  it('are refused by gates in the form their errors have', async () => {
    const message = 'current image without vulnerability scanning cannot be pulled';
    const beforePull = async (): Promise<never> =>
      Promise.reject(new VicError({ class: 'FailedPrecondition', code: 'POLICY_VULNERABLE', message }));
    await using registry = await startTestRegistry({ gates: [{ name: 'test', beforePull }] });
    const client = new RegistryClient(registry.url);
    await client.image(REPOSITORY, 'v1');
    const answer = await client.send('GET', `${PATH}/v1`);
    expect(answer.status).toBe(412);
    expect(JSON.parse(answer.body.toString())).toEqual({ errors: [{ code: 'PROJECTPOLICYVIOLATION', message }] });
  });
});

describe('referrers', () => {
  it('are listed, filtered by type, and confirmed when they are pushed', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const image = await client.image(REPOSITORY, 'v1');
    const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: image.digest, size: image.manifest.length };
    const sbom = await client.image(REPOSITORY, 'sbom', {
      subject,
      artifactType: 'text/sbom',
      annotations: { a: 'b' },
    });
    expect(sbom.answer.headers.get('oci-subject')).toBe(image.digest);
    const path = `/v2/${REPOSITORY}/referrers/${image.digest}`;
    const all = await client.send('GET', path);
    expect(all.headers.get('content-type')).toBe(MEDIA_TYPES.ociIndex);
    const entry = { mediaType: MEDIA_TYPES.ociManifest, digest: sbom.digest, size: sbom.manifest.length };
    expect(JSON.parse(all.body.toString())).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [{ ...entry, artifactType: 'text/sbom', annotations: { a: 'b' } }],
    });
    const filtered = await client.send('GET', `${path}?artifactType=text/other`);
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(JSON.parse(filtered.body.toString())).toMatchObject({ manifests: [] });
    expect((await client.send('GET', `/v2/library/none/referrers/${NOWHERE}`)).status).toBe(200);
    expect((await client.send('GET', `/v2/library/none/referrers/latest`)).codes).toEqual(['DIGEST_INVALID']);
  });
});

describe('lists', () => {
  it('of tags come page by page with a link to the next', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const { digest, manifest } = await client.image(REPOSITORY, 'a');
    await client.putManifest(REPOSITORY, `${digest}?tag=b&tag=c`, manifest);
    const list = async (query: string) => client.send('GET', `/v2/${REPOSITORY}/tags/list${query}`);
    expect(JSON.parse((await list('')).body.toString())).toEqual({ name: REPOSITORY, tags: ['a', 'b', 'c'] });
    const first = await list('?n=2');
    expect(JSON.parse(first.body.toString())).toMatchObject({ tags: ['a', 'b'] });
    expect(first.headers.get('link')).toBe(`</v2/${REPOSITORY}/tags/list?last=b&n=2>; rel="next"`);
    const last = await list('?n=2&last=b');
    expect(JSON.parse(last.body.toString())).toMatchObject({ tags: ['c'] });
    expect(last.headers.get('link')).toBeNull();
    const none = await list('?n=0');
    expect([JSON.parse(none.body.toString()).tags, none.headers.get('link')]).toEqual([[], null]);
    for (const wrong of ['?n=-1', '?n=x', '?last=a/b']) {
      expect(await list(wrong)).toMatchObject({ status: 400, codes: ['PAGINATION_NUMBER_INVALID'] });
    }
    expect(await client.send('GET', '/v2/library/none/tags/list')).toMatchObject({
      status: 404,
      codes: ['NAME_UNKNOWN'],
    });
  });

  it('of repositories show what the caller may see', async () => {
    await using registry = await startTestRegistry({ open: false });
    const authorization = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
    const ada = new RegistryClient(registry.url, { authorization });
    for (const repository of ['library/b', 'library/a', 'public/c']) await ada.image(repository, 'v1');
    const all = await ada.send('GET', '/v2/_catalog?n=2');
    expect(JSON.parse(all.body.toString())).toEqual({ repositories: ['library/a', 'library/b'] });
    expect(all.headers.get('link')).toBe('</v2/_catalog?last=library%2Fb&n=2>; rel="next"');
    const anonymous = await new RegistryClient(registry.url).send('GET', '/v2/_catalog');
    expect(JSON.parse(anonymous.body.toString())).toEqual({ repositories: ['public/c'] });
  });
});

describe('access', () => {
  it('is challenged, asked for by method, and lets the anonymous read what is public', async () => {
    await using registry = await startTestRegistry({ open: false });
    const authorization = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
    const ada = new RegistryClient(registry.url, { authorization });
    const anonymous = new RegistryClient(registry.url);
    const base = await anonymous.send('GET', '/v2/');
    expect(base).toMatchObject({ status: 401, codes: ['UNAUTHORIZED'] });
    expect(base.headers.get('www-authenticate')).toBe(`Basic realm="test ${registry.host}"`);
    expect(base.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect((await ada.send('GET', '/v2/')).body.toString()).toBe('{}');
    await ada.image('public/app', 'v1');
    await ada.image(REPOSITORY, 'v1');
    expect((await anonymous.send('GET', '/v2/public/app/manifests/v1')).status).toBe(200);
    expect((await anonymous.send('GET', `${PATH}/v1`)).status).toBe(401);
    for (const [method, path] of [
      ['POST', '/v2/public/app/blobs/uploads/'],
      ['PUT', '/v2/public/app/manifests/v1'],
      ['DELETE', '/v2/public/app/manifests/v1'],
    ] as const) {
      expect((await anonymous.send(method, path)).status).toBe(401);
    }
  });

  it('is for reading alone while the registry is read-only', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url);
    const { manifest } = await client.image(REPOSITORY, 'v1');
    registry.readOnly = true;
    const refused = await client.putManifest(REPOSITORY, 'v2', manifest);
    expect(refused).toMatchObject({ status: 403, codes: ['DENIED'] });
    expect(refused.body.toString()).toContain('The system is in read only mode. Any modification is prohibited.');
    expect((await client.send('POST', `/v2/${REPOSITORY}/blobs/uploads/`, OCTETS)).status).toBe(403);
    expect((await client.send('GET', `${PATH}/v1`)).status).toBe(200);
  });

  it('lets an administrator who says why delete what is immutable, and nothing else', async () => {
    const beforeTagDelete = async ({ actor }: TagDeleteSubject): Promise<void> => {
      if (actor.breakGlass !== undefined) return;
      throw new VicError({ class: 'FailedPrecondition', code: 'TAG_IMMUTABLE', message: 'immutable' });
    };
    await using registry = await startTestRegistry({ gates: [{ name: 'immutability', beforeTagDelete }] });
    const client = new RegistryClient(registry.url);
    const { manifest } = await client.image(REPOSITORY, 'v1');
    expect((await client.send('DELETE', `${PATH}/v1`)).status).toBe(412);
    const why = { 'x-vic-break-glass': 'leaked a key' };
    const type = { 'content-type': MEDIA_TYPES.ociManifest };
    const pushed = await client.send('PUT', `${PATH}/v1`, { ...type, ...why }, manifest);
    expect([pushed.status, pushed.body.toString()]).toEqual([400, expect.stringContaining('allows deletions only')]);
    expect((await client.send('GET', `${PATH}/v1`, why)).status).toBe(200);
    expect((await client.send('DELETE', `${PATH}/v1`, { 'x-vic-break-glass': ' ' })).status).toBe(400);
    expect((await client.send('DELETE', `${PATH}/v1`, why)).status).toBe(202);
    const row = await registry.database.db
      .selectFrom('event')
      .select('body')
      .where('type', '=', 'tag.deleted')
      .executeTakeFirstOrThrow();
    expect(JSON.parse(row.body)).toMatchObject({ breakGlass: 'leaked a key', operator: 'ada' });
  });

  it('tells events where a copy came from', async () => {
    await using registry = await startTestRegistry();
    const client = new RegistryClient(registry.url, { 'x-vic-replicated-from': 'hub' });
    await client.image(REPOSITORY, 'v1');
    const rows = await registry.database.db.selectFrom('event').select('body').execute();
    for (const { body } of rows) expect(JSON.parse(body)).toMatchObject({ replicatedFrom: 'hub', operator: 'ada' });
    expect(rows).toHaveLength(2);
  });
});
