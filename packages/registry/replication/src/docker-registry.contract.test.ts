import { MEDIA_TYPES } from '@vic/oci';
import { connectRegistry, fallbackTag } from '@vic/registry-client';
import { startRegistry } from '@vic/registry-client/testing';
import type { TestRegistry } from '@vic/registry-client/testing';
import { temporaryDatabase } from '@vic/sql/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestAt, pushImage, pushIndex } from './testing/push-image.ts';
import { addPolicy, execute, lagOf, until } from './testing/site-policies.ts';
import { ADMIN } from './testing/test-access.ts';
import { TestSite } from './testing/test-site.ts';

const signal = AbortSignal.timeout(600_000);
let site: TestSite;
let peer: TestRegistry;
let resources: AsyncDisposableStack;
beforeEach(async () => {
  resources = new AsyncDisposableStack();
  site = resources.use(await TestSite.open({ open: temporaryDatabase }));
  peer = resources.use(await startRegistry());
  const body = { name: 'debian', type: 'docker-registry', url: `http://${peer.domain}` };
  const { status } = await site.call('POST', '/registries', body);
  if (status !== 201) throw new Error(`the registry was not added: ${status}`);
});
afterEach(async () => resources.disposeAsync());

test('pushes images, indexes and referrers to docker-registry, and deletes them there', async () => {
  await site.projects.create({ name: 'ours' }, ADMIN);
  const settings = { name: 'out', dest_registry: { id: 1 }, replicate_deletion: true, copy_by_chunk: true };
  const policy = await addPolicy(site, site, { ...settings, filters: [{ type: 'name', value: 'ours/**' }] });
  const here = { url: site.url, repository: 'ours/deep/app' };
  const there = { url: `http://${peer.domain}`, repository: 'ours/deep/app' };
  const one = await pushImage(here, { layer: Buffer.alloc(12 * 1024 * 1024, 'x') });
  const index = await pushIndex(here, 'v1', [one]);
  const signature = await pushImage(here, { subject: index, artifactType: 'application/x.signature' });
  await until(async () => (await digestAt(there, 'v1')) === index.digest);
  await until(async () => (await digestAt(there, fallbackTag(index.digest))) !== undefined);
  await until(async () => (await lagOf(site, policy)).pending === 0);
  await using connection = connectRegistry({ url: there.url });
  const referrers = await connection.registry.listReferrers(there.repository, index.digest, signal);
  expect(referrers).toMatchObject([{ digest: signature.digest, artifactType: 'application/x.signature' }]);
  await site.store.deleteArtifact(
    { project: (await site.projects.findByName('ours')) ?? never(), repository: here.repository },
    { principal: ADMIN },
    index.digest,
  );
  await until(async () => (await digestAt(there, index.digest)) === undefined);
});

test('pulls from docker-registry by its catalogue, with what belongs to an image', async () => {
  const there = { url: `http://${peer.domain}`, repository: 'theirs/app' };
  const image = await pushImage(there, { tag: 'v1' });
  await pushImage({ ...there, repository: 'other/app' }, { tag: 'v1' });
  const signature = await pushImage(there, { subject: image, artifactType: 'application/x.signature' });
  await using connection = connectRegistry({ url: there.url });
  const entry = { digest: signature.digest, mediaType: signature.mediaType, size: signature.size };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [entry] }));
  const list = { bytes, mediaType: MEDIA_TYPES.ociIndex };
  await connection.registry.putManifest(there.repository, fallbackTag(image.digest), list, signal);
  const made = await site.call('POST', '/replication/policies', {
    name: 'in',
    enabled: true,
    src_registry: { id: 1 },
    filters: [{ type: 'name', value: 'theirs/*' }],
  });
  const policy = Number(made.headers.get('location')?.split('/').at(-1));
  expect(await execute(site, policy)).toMatchObject({ status: 'Succeed', total: 1 });
  expect(await digestAt({ url: site.url, repository: 'theirs/app' }, 'v1')).toBe(image.digest);
  expect(await site.store.listReferrers('theirs/app', image.digest)).toMatchObject([{ digest: signature.digest }]);
  expect(await site.store.findRepository('other/app')).toBeUndefined();
});

test('caches docker-registry, and serves what it has after that has gone', async () => {
  const there = { url: `http://${peer.domain}`, repository: 'lib/app' };
  const image = await pushImage(there, { tag: 'v1' });
  await site.projects.create({ name: 'cache', registryId: 1 }, ADMIN);
  const cached = { url: site.url, repository: 'cache/lib/app' };
  expect(await digestAt(cached, 'v1')).toBe(image.digest);
  await using connection = connectRegistry({ url: site.url, credentials: { username: 'admin', password: 'secret' } });
  const layer = image.layer ?? never();
  const read = async (): Promise<number> =>
    Buffer.concat(await Array.fromAsync(connection.registry.readBlob('cache/lib/app', { digest: layer }, { signal })))
      .length;
  expect(await read()).toBe(2048);
  await until(async () => (await site.store.findBlob('cache/lib/app', layer)) !== undefined);
  await peer[Symbol.asyncDispose]();
  expect(await digestAt(cached, 'v1')).toBe(image.digest);
  expect(await read()).toBe(2048);
});

function never(): never {
  throw new Error('not there');
}
