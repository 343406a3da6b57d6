import { expect, test } from 'vitest';
import { Site, until } from './topologies-site.ts';

const PATIENCE = 15 * 60_000;
const REPOSITORY = 'team/app';
const FILTERS = [{ type: 'name', value: 'team/**' }];

test(
  'two ways: each side trusts the other’s authority, nothing goes round, deletions arrive once',
  async () => {
    await using a = await Site.open();
    await using b = await Site.open();
    expect((await a.call('POST', '/projects', { project_name: 'team', metadata: { public: 'true' } })).status).toBe(
      201,
    );
    const settings = { filters: FILTERS, replicate_deletion: true };
    const toB = await a.replicate(await a.know(b), { name: 'to-b', ...settings });
    const toA = await b.replicate(await b.know(a), { name: 'to-a', ...settings });
    const first = await a.push(REPOSITORY, 'latest');
    await until(async () => (await b.digest(REPOSITORY, 'latest')) === first);
    expect((await b.call('GET', '/projects/team')).body).toMatchObject({ metadata: { public: 'true' } });
    const second = await b.push(REPOSITORY, 'latest');
    await b.push(REPOSITORY, 'short-lived');
    await until(async () => (await a.digest(REPOSITORY, 'latest')) === second);
    await until(async () => (await a.digest(REPOSITORY, 'short-lived')) !== undefined);
    await a.untag(REPOSITORY, 'short-lived');
    await until(async () => (await b.digest(REPOSITORY, 'short-lived')) === undefined);
    await until(async () => (await a.lag(toB)).pending + (await b.lag(toA)).pending === 0);
    const before = [await runs(a), await runs(b)];
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect([await runs(a), await runs(b)]).toEqual(before);
    expect([await a.digest(REPOSITORY, 'latest'), await b.digest(REPOSITORY, 'latest')]).toEqual([second, second]);
  },
  PATIENCE,
);

test(
  'hub and spokes: a spoke that is away delays only itself, shows its lag, and loses nothing',
  async () => {
    await using hub = await Site.open();
    await using near = await Site.open();
    await using far = await Site.open();
    await hub.call('POST', '/projects', { project_name: 'team' });
    const history = await hub.push(REPOSITORY, 'history');
    const toNear = await hub.replicate(await hub.know(near), { name: 'near', filters: FILTERS });
    const toFar = await hub.replicate(await hub.know(far), { name: 'far', filters: FILTERS });
    await until(async () => (await far.digest(REPOSITORY, 'history')) === history);
    // The hub may not have heard yet that it is done.
    await until(async () => (await hub.lag(toFar)).pending === 0);
    await far.stop();
    const pushed = new Map<string, string>();
    for (const tag of ['v1', 'v2', 'v3']) pushed.set(tag, await hub.push(REPOSITORY, tag));
    await until(async () => (await near.digest(REPOSITORY, 'v3')) === pushed.get('v3'));
    await until(async () => (await hub.lag(toFar)).last_error !== '');
    expect(await hub.lag(toFar)).toMatchObject({ pending: 3, held: 0 });
    expect((await hub.lag(toFar)).seconds).toBeGreaterThan(0);
    await until(async () => (await hub.lag(toNear)).pending === 0);
    // The hub is restarted meanwhile: what is left to do is not in its memory.
    await hub.stop();
    await hub.start();
    await far.start();
    await until(async () => (await hub.lag(toFar)).pending === 0);
    for (const [tag, digest] of pushed) expect(await far.digest(REPOSITORY, tag)).toBe(digest);
    await hub.stop();
    expect(await far.digest(REPOSITORY, 'v2')).toBe(pushed.get('v2'));
  },
  PATIENCE,
);

test(
  'a chain of stages: a label promotes to staging, an approval to production',
  async () => {
    await using development = await Site.open();
    await using staging = await Site.open();
    await using production = await Site.open();
    await development.call('POST', '/projects', { project_name: 'team' });
    const label = { name: 'release', scope: 'g' };
    const labelId = Number((await development.call('POST', '/labels', label)).location.split('/').at(-1));
    const toStaging = await development.replicate(await development.know(staging), {
      name: 'staging',
      filters: FILTERS,
      promotion: { label: 'release' },
    });
    const toProduction = await staging.replicate(await staging.know(production), {
      name: 'production',
      filters: FILTERS,
      promotion: { approved: true },
    });
    const image = await development.push(REPOSITORY, '1.0');
    await until(async () => (await development.lag(toStaging)).held === 1);
    expect(await staging.digest(REPOSITORY, '1.0')).toBeUndefined();
    const path = `/projects/team/repositories/app/artifacts/${image}/labels`;
    expect((await development.call('POST', path, { id: labelId })).status).toBe(200);
    await until(async () => (await staging.digest(REPOSITORY, '1.0')) === image);
    await until(async () => (await staging.lag(toProduction)).held === 1);
    expect(await production.digest(REPOSITORY, '1.0')).toBeUndefined();
    const approval = { repository: REPOSITORY, reference: '1.0' };
    const approvals = `/replication/policies/${toProduction}/approvals`;
    expect((await staging.call('POST', approvals, approval)).status).toBe(201);
    await until(async () => (await production.digest(REPOSITORY, '1.0')) === image);
    expect((await staging.call('GET', approvals)).body).toMatchObject([{ digest: image, approved_by: 'admin' }]);
    const records = async (): Promise<string> =>
      JSON.stringify((await staging.call('GET', '/auditlog-exts?page_size=100')).body);
    await expect.poll(records).toContain('production: team/app:1.0');
  },
  PATIENCE,
);

/** How many executions there have been. */
async function runs(site: Site): Promise<number> {
  const { body } = await site.call('GET', '/replication/executions?page_size=100');
  return (body as readonly unknown[]).length;
}
