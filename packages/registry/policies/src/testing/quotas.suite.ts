import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PoliciesWorld } from './policies-world.ts';

const MIB = 1024 * 1024;

/** Storage limits: what is refused, what is free, what is told. */
export function quotasSuite(open: OpenTemporaryDatabase): void {
  let world: PoliciesWorld;
  beforeEach(async () => {
    world = await PoliciesWorld.open(open);
  });
  afterEach(async () => world[Symbol.asyncDispose]());

  const limit = async (bytes: number): Promise<void> => world.quotas.set(world.database.db, world.library.id, bytes);

  it('refuses what goes over the limit in the words of Harbor', async () => {
    await limit(15 * MIB);
    await world.putBlob('app', 'one', 8 * MIB);
    await expect(world.putBlob('app', 'two', 10 * MIB)).rejects.toThrow(
      'Quota exceeded when processing the request of adding 10.0 MiB of storage resource, which when updated to ' +
        'current usage of 8.0 MiB will exceed the configured upper limit of 15.0 MiB.',
    );
    expect(await world.quotas.read(world.library.id)).toEqual({ limitBytes: 15 * MIB, usedBytes: 8 * MIB });
  });

  it('counts a blob once for a project, and frees what is deleted', async () => {
    await limit(10 * MIB);
    await world.putBlob('app', 'shared', 8 * MIB);
    await world.putBlob('other', 'shared', 8 * MIB);
    await world.push('app', ['v1']);
    const place = { project: world.library, repository: 'library/app' };
    const { usedBytes } = await world.quotas.read(world.library.id);
    await world.store.deleteArtifact(place, { principal: { kind: 'anonymous' } }, 'v1');
    expect((await world.quotas.read(world.library.id)).usedBytes).toBeLessThan(usedBytes);
  });

  it('without a limit, and for what the project has, never refuses', async () => {
    await world.putBlob('app', 'big', 1000 * MIB);
    await limit(1 * MIB);
    await world.putBlob('other', 'big', 1000 * MIB);
    await expect(world.push('app', ['v1'])).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED_DENIED' });
  });

  it('lets pushes at the same time together take no more than there is', async () => {
    await limit(10 * MIB);
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, async (_, index) => world.putBlob(`app${index}`, `blob ${index}`, 1 * MIB)),
    );
    const accepted = results.filter(({ status }) => status === 'fulfilled').length;
    expect(accepted).toBe(10);
    const { usedBytes } = await world.quotas.read(world.library.id);
    expect(usedBytes).toBe(10 * MIB);
  });

  it('warns once at 85 per cent, and tells of refusals at most once a minute', async () => {
    await limit(100 * MIB);
    await world.putBlob('app', 'a', 80 * MIB);
    expect(world.events).toEqual([]);
    await world.putBlob('app', 'b', 6 * MIB);
    await world.putBlob('app', 'c', 1 * MIB);
    await expect(world.putBlob('app', 'd', 20 * MIB)).rejects.toThrow('Quota exceeded');
    await expect(world.putBlob('app', 'd', 20 * MIB)).rejects.toThrow('Quota exceeded');
    expect(world.events).toMatchObject([
      {
        type: 'quota.warned',
        usedBytes: 86 * MIB,
        limitBytes: 100 * MIB,
        repository: 'library/app',
        operator: 'admin',
      },
      { type: 'quota.exceeded', usedBytes: 87 * MIB },
    ]);
  });

  it('is listed, read and changed by administrators', async () => {
    await world.putBlob('app', 'a', 1 * MIB);
    const list = await world.call(
      'GET',
      `/quotas?reference=project&reference_id=${world.library.id}&sort=-used.storage`,
    );
    expect(list.json).toMatchObject([
      { ref: { id: world.library.id, name: 'library' }, hard: { storage: -1 }, used: { storage: 1 * MIB } },
    ]);
    expect((await world.call('GET', '/quotas?reference_id=999')).json).toEqual([]);
    const [quota] = list.json as [{ id: number }];
    const path = `/quotas/${quota.id}`;
    expect((await world.call('PUT', path, { body: { hard: { storage: 2 * MIB } } })).status).toBe(200);
    expect((await world.call('GET', path)).json).toMatchObject({ hard: { storage: 2 * MIB } });
    expect((await world.call('GET', '/quotas/999')).status).toBe(404);
    expect((await world.call('PUT', path, { body: { hard: { storage: 1 } }, as: 'dev' })).status).toBe(403);
  });

  it.each([
    [{ storage: 0 }, 'invalid non-positive value for quota limit, value=0'],
    [{ storage: -2 }, 'invalid non-positive value for quota limit, value=-2'],
    [{ storage: 1_125_899_906_842_625 }, 'exceeded 1024TB, which is 1125899906842624 Bytes, value=1125899906842625'],
    [{ count: 1 }, 'resource count not support'],
    [{}, 'hard required in body'],
  ])('refuses %j as a limit', async (hard, message) => {
    const [quota] = (await world.call('GET', '/quotas')).json as [{ id: number }];
    expect(await world.call('PUT', `/quotas/${quota.id}`, { body: { hard } })).toMatchObject({
      status: 400,
      json: { errors: [{ code: 'BAD_REQUEST', message }] },
    });
  });
}
