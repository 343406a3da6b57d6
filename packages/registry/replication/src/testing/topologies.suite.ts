import { delay } from '@vic/async';
import { VicError } from '@vic/errors';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import type { PromotionChecks } from '../index.ts';
import type { PushedManifest } from './push-image.ts';
import { deleteAt, digestAt, pushImage } from './push-image.ts';
import { addPolicy, endpointOf, execute, lagOf, settled, until, updatePolicy } from './site-policies.ts';
import { ADMIN } from './test-access.ts';
import { TestSite } from './test-site.ts';

const PATIENCE = { timeout: 120_000 };
const FILTERS = [{ type: 'name', value: 'shared/**' }];

/** Several registries of this process that replicate to each other. */
export const topologiesSuite: DialectSuite = (open) => {
  describe('topologies', PATIENCE, () => {
    it('two ways: nothing goes round, the later writer wins, deletions arrive once', async () => {
      await using a = await TestSite.open({ open });
      await using b = await TestSite.open({ open });
      await a.projects.create({ name: 'shared' }, ADMIN);
      const settings = { filters: FILTERS, replicate_deletion: true };
      const toB = await addPolicy(a, b, { name: 'to-b', ...settings });
      const toA = await addPolicy(b, a, { name: 'to-a', ...settings });
      const atA = { url: a.url, repository: 'shared/app' };
      const atB = { url: b.url, repository: 'shared/app' };
      const first = await pushImage(atA, { tag: 'latest' });
      await until(async () => (await digestAt(atB, 'latest')) === first.digest);
      const second = await pushImage(atB, { tag: 'latest' });
      const other = await pushImage(atB, { tag: 'only-b' });
      await until(async () => (await digestAt(atA, 'latest')) === second.digest);
      await until(async () => (await digestAt(atA, 'only-b')) === other.digest);
      await settled([a, toB], [b, toA]);
      await deleteAt(atA, 'only-b');
      await until(async () => (await digestAt(atB, 'only-b')) === undefined);
      await settled([a, toB], [b, toA]);
      const quiet = [a.requests.length, b.requests.length];
      await delay(500);
      const changes = [...a.requests.slice(quiet[0]), ...b.requests.slice(quiet[1])];
      expect(changes.filter((line) => !/^(?:GET|HEAD) /.test(line))).toEqual([]);
      expect(await digestAt(atA, 'latest')).toBe(second.digest);
      expect(await digestAt(atB, 'latest')).toBe(second.digest);
      // Three artifacts, each of which came to each side once.
      expect(await arrivals(a)).toHaveLength(3);
      expect(await arrivals(b)).toHaveLength(3);
    });

    it('two ways: what both sides changed while the link was down ends the same on both, the later push winning', async () => {
      await using a = await TestSite.open({ open });
      await using b = await TestSite.open({ open });
      await a.projects.create({ name: 'shared' }, ADMIN);
      await b.projects.create({ name: 'shared' }, ADMIN);
      const toB = await addPolicy(a, b, { name: 'to-b', filters: FILTERS });
      const toA = await addPolicy(b, a, { name: 'to-a', filters: FILTERS });
      const atA = { url: a.url, repository: 'shared/app' };
      const atB = { url: b.url, repository: 'shared/app' };
      // Both have heard of each other, as registries have that run for a while.
      await pushImage(atA, { tag: 'from-a' });
      await pushImage(atB, { tag: 'from-b' });
      await until(async () => (await digestAt(atB, 'from-a')) !== undefined);
      await until(async () => (await digestAt(atA, 'from-b')) !== undefined);
      await settled([a, toB], [b, toA]);
      await updatePolicy(a, toB, { enabled: false });
      await updatePolicy(b, toA, { enabled: false });
      await pushImage(atA, { tag: 'same' });
      const onlyA = await pushImage(atA, { tag: 'down-a' });
      await delay(20);
      const later = await pushImage(atB, { tag: 'same' });
      await updatePolicy(a, toB, { enabled: true });
      await until(async () => (await digestAt(atB, 'down-a')) === onlyA.digest);
      await until(async () => (await runningOf(a)) === 0);
      expect(await digestAt(atB, 'same')).toBe(later.digest);
      await updatePolicy(b, toA, { enabled: true });
      await until(async () => (await digestAt(atA, 'same')) === later.digest);
      // What arrived late is no later than what was pushed after it.
      const sent = await pushImage(atA, { tag: 'late' });
      await until(async () => (await digestAt(atB, 'late')) === sent.digest);
      await settled([a, toB]);
      const inAnHour = Date.now() + 3_600_000;
      await b.database.db.updateTable('tags').set({ pushed_at_ms: inAnHour }).where('name', '=', 'late').execute();
      const next = await pushImage(atA, { tag: 'late' });
      await until(async () => (await digestAt(atB, 'late')) === next.digest);
      await settled([a, toB], [b, toA]);
      expect(await digestAt(atB, 'same')).toBe(later.digest);
    });

    it('hub and spokes: a spoke that is away delays only itself, shows its lag, and catches up', async () => {
      await using hub = await TestSite.open({ open });
      await using near = await TestSite.open({ open });
      await using far = await TestSite.open({ open });
      await hub.projects.create({ name: 'shared' }, ADMIN);
      const atHub = { url: hub.url, repository: 'shared/app' };
      const before = await pushImage(atHub, { tag: 'before' });
      const toNear = await addPolicy(hub, near, { name: 'near', filters: FILTERS });
      const toFar = await addPolicy(hub, far, { name: 'far', filters: FILTERS });
      // A new spoke gets what was there before.
      await until(async () => (await digestAt({ ...atHub, url: far.url }, 'before')) === before.digest);
      await settled([hub, toNear], [hub, toFar]);
      await far.disconnect();
      const pushed: PushedManifest[] = [];
      for (let number = 0; number < 5; number++) pushed.push(await pushImage(atHub, { tag: `v${number}` }));
      // What v0 names now is known as v0 before it moves: an artifact that no tag names any more would travel as well.
      await until(async () => (await lagOf(hub, toFar)).pending === 5);
      const moved = await pushImage(atHub, { tag: 'v0' });
      await hub.events.drain(AbortSignal.timeout(60_000));
      await until(async () => (await digestAt({ ...atHub, url: near.url }, 'v4')) === pushed[4]?.digest);
      await until(async () => (await lagOf(hub, toFar)).last_error !== '');
      expect(await lagOf(hub, toFar)).toMatchObject({ pending: 5, held: 0 });
      await until(async () => (await lagOf(hub, toNear)).pending === 0);
      const lags = await hub.replication.lag();
      expect(lags.find(({ policy }) => policy === 'far')).toMatchObject({ pending: 5 });
      await far.connect();
      await until(async () => (await lagOf(hub, toFar)).pending === 0);
      for (let number = 1; number < 5; number++) {
        expect(await digestAt({ ...atHub, url: far.url }, `v${number}`)).toBe(pushed[number]?.digest);
      }
      expect(await digestAt({ ...atHub, url: far.url }, 'v0')).toBe(moved.digest);
    });

    it('a destination that was away is compared in full once it is back, with nothing pushed meanwhile', async () => {
      await using hub = await TestSite.open({ open, checkEveryMs: 50 });
      await using far = await TestSite.open({ open });
      await hub.projects.create({ name: 'shared' }, ADMIN);
      const atHub = { url: hub.url, repository: 'shared/app' };
      const atFar = { ...atHub, url: far.url };
      const image = await pushImage(atHub, { tag: 'v1' });
      const toFar = await addPolicy(hub, far, { name: 'far', filters: FILTERS });
      await until(async () => (await digestAt(atFar, 'v1')) === image.digest);
      await settled([hub, toFar]);
      await far.disconnect();
      await until(async () => (await hub.replication.endpoints.get(await endpointOf(hub, far))).status === 'unhealthy');
      // As after a restore of an older backup.
      const place = { project: { id: 1, name: 'shared', public: false }, repository: 'shared/app' };
      await far.store.deleteTag(place, { principal: ADMIN }, 'v1');
      await far.connect();
      await until(async () => (await digestAt(atFar, 'v1')) === image.digest);
    });

    it('what a destination refuses for good shows in the lag, and is tried again when both sides are compared', async () => {
      let isClosed = true;
      const beforePush = async ({ repository }: { readonly repository: string }): Promise<void> => {
        if (!isClosed || repository !== 'shared/closed') return;
        throw new VicError({ class: 'FailedPrecondition', code: 'TAG_IMMUTABLE', message: 'configured as immutable' });
      };
      await using hub = await TestSite.open({ open });
      await using far = await TestSite.open({ open, gates: [{ name: 'immutability', beforePush }] });
      await hub.projects.create({ name: 'shared' }, ADMIN);
      const atHub = { url: hub.url, repository: 'shared/closed' };
      const before = await pushImage(atHub, { tag: 'before' });
      const toFar = await addPolicy(hub, far, { name: 'far', filters: FILTERS });
      await until(async () => (await lagOf(hub, toFar)).refused === 1);
      const pushed = await pushImage(atHub, { tag: 'pushed' });
      await until(async () => (await lagOf(hub, toFar)).refused === 2);
      expect(await lagOf(hub, toFar)).toMatchObject({
        pending: 2,
        last_error: expect.stringContaining('configured as immutable'),
      });
      isClosed = false;
      await execute(hub, toFar);
      await until(async () => (await lagOf(hub, toFar)).pending === 0);
      const atFar = { ...atHub, url: far.url };
      expect(await digestAt(atFar, 'before')).toBe(before.digest);
      expect(await digestAt(atFar, 'pushed')).toBe(pushed.digest);
      isClosed = true;
      const { digest } = await pushImage(atHub, { tag: 'gone' });
      await until(async () => (await lagOf(hub, toFar)).refused === 1);
      await deleteAt(atHub, digest);
      await execute(hub, toFar);
      await until(async () => (await lagOf(hub, toFar)).pending === 0);
    });

    it('a scan that ends while the gate is asked about the artifact lets it pass', async () => {
      const scanned = new Set<string>();
      let meanwhile = async (_digest: string): Promise<void> => undefined;
      const scan: NonNullable<PromotionChecks['scan']> = async ({ digest }) => {
        const isScanned = scanned.has(digest);
        await meanwhile(digest);
        return isScanned ? undefined : 'it was not scanned';
      };
      await using dev = await TestSite.open({ open, checks: { scan } });
      await using staging = await TestSite.open({ open });
      await dev.projects.create({ name: 'shared' }, ADMIN);
      const promotion = { scan_below: 'High' };
      const toStaging = await addPolicy(dev, staging, { name: 'staging', filters: FILTERS, promotion });
      await settled([dev, toStaging]);
      meanwhile = async (digest) => {
        meanwhile = async () => undefined;
        scanned.add(digest);
        await tellScanned(dev, digest);
        await dev.events.drain(AbortSignal.timeout(60_000));
      };
      const atDev = { url: dev.url, repository: 'shared/app' };
      const image = await pushImage(atDev, { tag: 'release-1' });
      await until(async () => (await digestAt({ ...atDev, url: staging.url }, 'release-1')) === image.digest);
    });

    it('a chain of stages: each promotes only what has passed its gate', async () => {
      const scanned = new Set<string>();
      const checks: PromotionChecks = {
        scan: async ({ digest }, below) => (scanned.has(digest) ? undefined : `it was not scanned (below ${below})`),
      };
      await using dev = await TestSite.open({ open, checks });
      await using staging = await TestSite.open({ open });
      await using production = await TestSite.open({ open });
      await dev.projects.create({ name: 'shared' }, ADMIN);
      const scan = { scan_below: 'High' };
      const toStaging = await addPolicy(dev, staging, { name: 'staging', filters: FILTERS, promotion: scan });
      const approval = { approved: true };
      const toProduction = await addPolicy(staging, production, {
        name: 'prod',
        filters: FILTERS,
        promotion: approval,
      });
      const atDev = { url: dev.url, repository: 'shared/app' };
      const image = await pushImage(atDev, { tag: 'release-1' });
      await until(async () => (await lagOf(dev, toStaging)).held === 1);
      expect((await lagOf(dev, toStaging)).last_error).toContain('not scanned');
      expect(await digestAt({ ...atDev, url: staging.url }, 'release-1')).toBeUndefined();
      scanned.add(image.digest);
      await tellScanned(dev, image.digest);
      await until(async () => (await digestAt({ ...atDev, url: staging.url }, 'release-1')) === image.digest);
      await until(async () => (await lagOf(staging, toProduction)).held === 1);
      expect(await digestAt({ ...atDev, url: production.url }, 'release-1')).toBeUndefined();
      const body = { repository: 'shared/app', reference: 'release-1' };
      expect((await staging.call('POST', `/replication/policies/${toProduction}/approvals`, body)).status).toBe(201);
      await until(async () => (await digestAt({ ...atDev, url: production.url }, 'release-1')) === image.digest);
      const approvals = await staging.call('GET', `/replication/policies/${toProduction}/approvals`);
      expect(approvals.body).toMatchObject([{ digest: image.digest, approved_by: 'admin' }]);
    });
  });
};

/** How many executions have not ended. */
async function runningOf(site: TestSite): Promise<number> {
  const { headers } = await site.call('GET', '/replication/executions?status=InProgress');
  return Number(headers.get('x-total-count'));
}

/** Pushes and copies that changed something. */
async function arrivals(site: TestSite): Promise<readonly unknown[]> {
  const { db } = site.database;
  return db.selectFrom('event').select('id').where('type', '=', 'artifact.pushed').execute();
}

async function tellScanned(site: TestSite, digest: string): Promise<void> {
  const artifact = await site.store.resolve('shared/app', digest);
  await site.tell({
    type: 'scan.completed',
    projectId: artifact?.projectId ?? 0,
    projectName: 'shared',
    operator: 'scanner',
    artifactId: artifact?.id ?? 0,
    repository: 'shared/app',
    digest,
    tags: [],
    mediaType: artifact?.manifestMediaType ?? '',
    artifactType: 'IMAGE',
    scanner: 'test',
    scanType: 'vulnerability',
    status: 'Success',
  });
}
