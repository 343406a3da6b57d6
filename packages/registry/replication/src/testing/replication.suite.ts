import type { DialectSuite } from '@vic/sql/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN } from './test-access.ts';
import { addPolicy, endpointOf, execute, settled, until, updatePolicy } from './site-policies.ts';
import { deleteAt, digestAt, pushImage, pushIndex } from './push-image.ts';
import { TestSite } from './test-site.ts';

const MATTERS = { timeout: 90_000 };

/** Replication between two registries of this process. */
export const replicationSuite: DialectSuite = (open) => {
  describe('replication', MATTERS, () => {
    let here: TestSite;
    let there: TestSite;
    beforeAll(async () => {
      here = await TestSite.open({ open });
      there = await TestSite.open({ open });
    });
    afterAll(async () => {
      await here?.[Symbol.asyncDispose]();
      await there?.[Symbol.asyncDispose]();
    });

    it('copies what is pushed, with index members, signatures and visibility', async () => {
      await here.projects.create({ name: 'pushed', metadata: { public: 'true' } }, ADMIN);
      const policy = await addPolicy(here, there, { name: 'pushed', filters: [{ type: 'name', value: 'pushed/**' }] });
      const at = { url: here.url, repository: 'pushed/deep/app' };
      const amd = await pushImage(at, { architecture: 'amd64' });
      const arm = await pushImage(at, { architecture: 'arm64' });
      const index = await pushIndex(at, 'v1', [amd, arm]);
      const signature = await pushImage(at, { subject: index, artifactType: 'application/vnd.test.signature' });
      const childSignature = await pushImage(at, { subject: arm, artifactType: 'application/vnd.test.sbom' });
      const copy = { url: there.url, repository: 'pushed/deep/app' };
      await until(async () => (await digestAt(copy, 'v1')) === index.digest);
      await until(async () => (await digestAt(copy, signature.digest)) !== undefined);
      await until(async () => (await digestAt(copy, childSignature.digest)) !== undefined);
      expect(await digestAt(copy, amd.digest)).toBe(amd.digest);
      expect((await there.store.listReferrers(copy.repository, index.digest)).map(({ digest }) => digest)).toEqual([
        signature.digest,
      ]);
      expect((await there.projects.findByName('pushed'))?.public).toBe(true);
      await settled([here, policy]);
    });

    it('compares both sides on demand, and copies only what is missing', async () => {
      await here.projects.create({ name: 'history' }, ADMIN);
      const one = await pushImage({ url: here.url, repository: 'history/one' }, { tag: 'a' });
      await pushImage({ url: here.url, repository: 'history/one' }, { tag: 'skip-b' });
      await pushImage({ url: here.url, repository: 'history/two' }, { tag: 'a' });
      const policy = await addPolicy(here, there, {
        name: 'history',
        trigger: { type: 'manual' },
        filters: [
          { type: 'name', value: 'history/*' },
          { type: 'tag', value: 'skip-*', decoration: 'excludes' },
        ],
        dest_namespace: 'mirror',
      });
      const first = await execute(here, policy);
      expect(first).toMatchObject({ status: 'Succeed', total: 2, succeed: 2, trigger: 'manual' });
      expect(await digestAt({ url: there.url, repository: 'mirror/one' }, 'a')).toBe(one.digest);
      expect(await digestAt({ url: there.url, repository: 'mirror/one' }, 'skip-b')).toBeUndefined();
      there.requests.length = 0;
      expect(await execute(here, policy)).toMatchObject({ status: 'Succeed' });
      expect(there.requests.filter((line) => !/^(?:GET|HEAD) /.test(line))).toEqual([]);
      const tasks = await here.call('GET', `/replication/executions/${String(first['id'])}/tasks`);
      expect(tasks.headers.get('x-total-count')).toBe('2');
      const [task] = tasks.body as Record<string, unknown>[];
      const log = await here.call(
        'GET',
        `/replication/executions/${String(first['id'])}/tasks/${String(task?.['id'])}/log`,
      );
      expect(log.body).toContain('were copied');
    });

    it('reports a tag that has another artifact at the destination, unless it may override', async () => {
      await here.projects.create({ name: 'conflict' }, ADMIN);
      await there.projects.create({ name: 'conflict' }, ADMIN);
      const theirs = await pushImage({ url: there.url, repository: 'conflict/app' }, { tag: 'same' });
      const mine = await pushImage({ url: here.url, repository: 'conflict/app' }, { tag: 'same' });
      const settings = {
        name: 'conflict',
        trigger: { type: 'manual' },
        filters: [{ type: 'name', value: 'conflict/app' }],
      };
      const policy = await addPolicy(here, there, { ...settings, override: false });
      expect(await execute(here, policy)).toMatchObject({ status: 'Failed', failed: 1 });
      const copy = { url: there.url, repository: 'conflict/app' };
      expect(await digestAt(copy, 'same')).toBe(theirs.digest);
      await updatePolicy(here, policy, { override: true });
      expect(await execute(here, policy)).toMatchObject({ status: 'Succeed' });
      expect(await digestAt(copy, 'same')).toBe(mine.digest);
    });

    it('pulls from another registry into a project it makes', async () => {
      await there.projects.create({ name: 'source', metadata: { public: 'true' } }, ADMIN);
      const image = await pushImage({ url: there.url, repository: 'source/app' }, { tag: 'v1' });
      const id = await endpointOf(here, there);
      const made = await here.call('POST', '/replication/policies', {
        name: 'pull',
        enabled: true,
        override: true,
        src_registry: { id },
        filters: [{ type: 'name', value: 'source/app' }],
        dest_namespace: 'taken',
      });
      expect(made.status).toBe(201);
      const policy = Number(made.headers.get('location')?.split('/').at(-1));
      expect(await execute(here, policy)).toMatchObject({ status: 'Succeed', total: 1 });
      expect(await digestAt({ url: here.url, repository: 'taken/app' }, 'v1')).toBe(image.digest);
      expect((await here.projects.findByName('taken'))?.public).toBe(true);
    });

    it('propagates deletions, but not of what has changed there', async () => {
      await here.projects.create({ name: 'gone' }, ADMIN);
      const policy = await addPolicy(here, there, {
        name: 'gone',
        replicate_deletion: true,
        filters: [{ type: 'name', value: 'gone/**' }],
      });
      const at = { url: here.url, repository: 'gone/app' };
      const copy = { url: there.url, repository: 'gone/app' };
      const image = await pushImage(at, { tag: 'v1' });
      await pushImage(at, { tag: 'v2' });
      await until(async () => (await digestAt(copy, 'v2')) !== undefined && (await digestAt(copy, 'v1')) !== undefined);
      await settled([here, policy]);
      const own = await pushImage(copy, { tag: 'v2' });
      await deleteAt(at, 'v2');
      await deleteAt(at, image.digest);
      await until(async () => (await digestAt(copy, image.digest)) === undefined);
      await settled([here, policy]);
      expect(await digestAt(copy, 'v1')).toBeUndefined();
      expect(await digestAt(copy, 'v2')).toBe(own.digest);
    });
  });
};
