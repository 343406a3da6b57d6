import { randomBytes } from 'node:crypto';
import { MEDIA_TYPES } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { MemoryRegistry } from '@vic/registry-client/testing';
import type { DialectSuite } from '@vic/sql/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from './site-policies.ts';
import { ADMIN } from './test-access.ts';
import { TestSite } from './test-site.ts';

const AUTHORIZATION = `Basic ${Buffer.from('admin:secret').toString('base64')}`;
const ACCEPT = Object.values(MEDIA_TYPES).join(', ');

/** A proxy-cache project of one registry in front of another that a test can meddle with. */
export const proxyCacheSuite: DialectSuite = (open) => {
  describe('a proxy-cache project', { timeout: 90_000 }, () => {
    let upstream: MemoryRegistry;
    let site: TestSite;
    let resources: AsyncDisposableStack;
    beforeEach(async () => {
      resources = new AsyncDisposableStack();
      upstream = resources.use(await MemoryRegistry.start());
      site = resources.use(await TestSite.open({ open }));
      const body = { name: 'up', type: 'docker-registry', url: upstream.url };
      expect((await site.call('POST', '/registries', body)).status).toBe(201);
      upstream.requests.length = 0;
    });
    afterEach(async () => resources.disposeAsync());

    async function addProject(metadata: Readonly<Record<string, string>> = {}): Promise<void> {
      await site.projects.create({ name: 'hub', registryId: 1, metadata }, ADMIN);
    }

    async function get(path: string, method = 'GET'): Promise<Response> {
      return fetch(`${site.url}/v2/hub/${path}`, { method, headers: { authorization: AUTHORIZATION, accept: ACCEPT } });
    }

    it('stores what is pulled, and serves it from then on', async () => {
      await addProject();
      const image = addImage(upstream, 'library/app', 'v1');
      expect((await get('library/app/manifests/v1', 'HEAD')).headers.get('docker-content-digest')).toBe(image.digest);
      const manifest = await get('library/app/manifests/v1');
      expect(manifest.status).toBe(200);
      expect(manifest.headers.get('docker-content-digest')).toBe(image.digest);
      const blob = await get(`library/app/blobs/${image.layer}`);
      expect(blob.headers.get('content-length')).toBe(String(image.content.length));
      expect(Buffer.from(await blob.arrayBuffer()).equals(image.content)).toBe(true);
      await until(async () => (await site.store.findBlob('hub/library/app', image.layer)) !== undefined);
      upstream.requests.length = 0;
      const again = await get(`library/app/blobs/${image.layer}`);
      expect(Buffer.from(await again.arrayBuffer()).equals(image.content)).toBe(true);
      expect((await get(`library/app/manifests/${image.digest}`)).status).toBe(200);
      expect(upstream.requests).toEqual([]);
      expect((await get('library/app/manifests/v1')).status).toBe(200);
      expect(upstream.requests).toEqual(['HEAD /v2/library/app/manifests/v1']);
    });

    it('follows a tag that moves', async () => {
      await addProject();
      addImage(upstream, 'app', 'latest');
      await get('app/manifests/latest');
      const next = addImage(upstream, 'app', 'latest');
      expect((await get('app/manifests/latest')).headers.get('docker-content-digest')).toBe(next.digest);
    });

    it('asks the upstream once for what many want at the same time', async () => {
      await addProject();
      const image = addImage(upstream, 'app', 'v1', randomBytes(2_000_000));
      await Promise.all(Array.from({ length: 8 }, async () => get('app/manifests/v1')));
      const bodies = await Promise.all(
        Array.from({ length: 8 }, async () => (await get(`app/blobs/${image.layer}`)).arrayBuffer()),
      );
      expect(bodies.every((body) => Buffer.from(body).equals(image.content))).toBe(true);
      const fetched = upstream.requests.filter((line) => line.startsWith('GET '));
      expect(fetched.filter((line) => line.includes('/manifests/'))).toHaveLength(1);
      expect(fetched.filter((line) => line.includes(image.layer))).toHaveLength(1);
    });

    it('asks the upstream once, too, where the blob has come while another client was on its way', async () => {
      await addProject();
      const image = addImage(upstream, 'app', 'v1');
      await get('app/manifests/v1');
      const isHeld = Promise.withResolvers<void>();
      const mayGoOn = Promise.withResolvers<undefined>();
      upstream.meddle = ({ method, url }) => {
        if (method !== 'HEAD' || !url.pathname.endsWith(image.layer)) return undefined;
        upstream.meddle = () => undefined;
        isHeld.resolve();
        return mayGoOn.promise;
      };
      const late = get(`app/blobs/${image.layer}`);
      await isHeld.promise;
      await (await get(`app/blobs/${image.layer}`)).arrayBuffer();
      await until(async () => (await site.store.findBlob('hub/app', image.layer)) !== undefined);
      mayGoOn.resolve(undefined);
      expect(Buffer.from(await (await late).arrayBuffer()).equals(image.content)).toBe(true);
      expect(upstream.requests.filter((line) => line.startsWith('GET ') && line.includes(image.layer))).toHaveLength(1);
    });

    it('serves what it has, with a warning, when the upstream is down or limits', async () => {
      await addProject();
      const image = addImage(upstream, 'app', 'v1');
      await get('app/manifests/v1');
      upstream.meddle = () => ({ status: 429, headers: { 'retry-after': '60' } });
      const stale = await get('app/manifests/v1');
      expect(stale.status).toBe(200);
      expect(stale.headers.get('warning')).toMatch(/^111 /);
      const limited = await get('app/manifests/v2');
      expect(limited.status).toBe(429);
      expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(30);
      const asked = upstream.requests.length;
      expect((await get('app/manifests/v1')).status).toBe(200);
      expect(upstream.requests).toHaveLength(asked);
      await upstream[Symbol.asyncDispose]();
      const down = await get('app/manifests/v1');
      expect([down.status, down.headers.get('docker-content-digest')]).toEqual([200, image.digest]);
    });

    it('does not ask again at once for what is not there', async () => {
      await addProject();
      expect((await get('app/manifests/none')).status).toBe(404);
      const asked = upstream.requests.length;
      expect((await get('app/manifests/none')).status).toBe(404);
      expect(upstream.requests).toHaveLength(asked);
      expect((await get(`app/blobs/sha256:${'0'.repeat(64)}`)).status).toBe(404);
    });

    it('goes on serving what the upstream has removed only where the project wants that', async () => {
      await addProject({ proxy_cache_local_on_not_found: 'true' });
      addImage(upstream, 'app', 'v1');
      await get('app/manifests/v1');
      upstream.repositories.clear();
      expect((await get('app/manifests/v1')).headers.get('warning')).toMatch(/^111 /);
      await site.projects.setMetadata(1, { proxy_cache_local_on_not_found: 'false' });
      expect((await get('app/manifests/v1')).status).toBe(404);
    });

    it('never passes damaged content on as a whole, and keeps none of it', async () => {
      await addProject();
      const image = addImage(upstream, 'app', 'v1');
      upstream.blobs.set(image.layer, randomBytes(image.content.length));
      await get('app/manifests/v1');
      const blob = await get(`app/blobs/${image.layer}`);
      await expect(blob.arrayBuffer()).rejects.toThrow('terminated');
      expect(await site.store.findBlob('hub/app', image.layer)).toBeUndefined();
    });

    it('lets only repositories through that its filter names, refuses pushes, and lists tags and referrers', async () => {
      await addProject({ proxy_cache_filter_pattern: 'library/**', proxy_referrer_api: 'true' });
      const image = addImage(upstream, 'library/app', 'v1');
      addImage(upstream, 'other/app', 'v1');
      expect((await get('other/app/manifests/v1')).status).toBe(404);
      expect((await get(`other/app/blobs/${image.layer}`)).status).toBe(404);
      const push = await get('library/app/blobs/uploads/', 'POST');
      expect(push.status).toBe(403);
      expect(await push.text()).toContain('can not push artifact to a proxy project: hub');
      expect(await (await get('library/app/tags/list')).json()).toMatchObject({ tags: ['v1'] });
      const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: image.digest, size: 1 };
      const signature = upstream.addManifest('library/app', 'sig', { ...DOCUMENT, artifactType: 'x/sig', subject });
      const referrers = (await (await get(`library/app/referrers/${image.digest}`)).json()) as { manifests: object[] };
      expect(referrers.manifests).toMatchObject([{ digest: signature, artifactType: 'x/sig' }]);
    });

    it('uses no more connections to the upstream than the project allows', async () => {
      await addProject({ max_upstream_conn: '1', proxy_speed_kb: '200' });
      const image = addImage(upstream, 'app', 'v1', randomBytes(300_000));
      await get('app/manifests/v1');
      const isAsked = Promise.withResolvers<void>();
      const mayGoOn = Promise.withResolvers<undefined>();
      upstream.meddle = ({ method, url }) => {
        if (method !== 'GET' || !url.pathname.endsWith(image.layer)) return undefined;
        isAsked.resolve();
        return mayGoOn.promise;
      };
      const slow = get(`app/blobs/${image.layer}`);
      await isAsked.promise;
      expect((await get('app/manifests/v2')).status).toBe(429);
      mayGoOn.resolve(undefined);
      expect(Buffer.from(await (await slow).arrayBuffer()).equals(image.content)).toBe(true);
      await until(async () => (await get('app/manifests/v3')).status === 404);
    });
  });
};

const DOCUMENT = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${'1'.repeat(64)}`, size: 2 },
  layers: [],
};

function addImage(
  upstream: MemoryRegistry,
  name: string,
  tag: string,
  content: Buffer = randomBytes(100_000),
): { readonly digest: ContentDigest; readonly layer: ContentDigest; readonly content: Buffer } {
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { tag } }));
  const configDigest = upstream.addBlob(name, config);
  const layer = upstream.addBlob(name, content);
  const digest = upstream.addManifest(name, tag, {
    ...DOCUMENT,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: configDigest, size: config.length },
    layers: [{ mediaType: MEDIA_TYPES.ociLayer, digest: layer, size: content.length }],
  });
  return { digest, layer, content };
}
