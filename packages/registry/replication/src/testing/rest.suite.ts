import type { DialectSuite } from '@vic/sql/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPolicy, endpointOf } from './site-policies.ts';
import { TestSite } from './test-site.ts';

/** The REST API of endpoints and policies. */
export const restSuite: DialectSuite = (open) => {
  describe('the REST API', { timeout: 90_000 }, () => {
    let here: TestSite;
    let there: TestSite;
    let endpoint: number;
    beforeAll(async () => {
      here = await TestSite.open({ open });
      there = await TestSite.open({ open });
      endpoint = await endpointOf(here, there);
    });
    afterAll(async () => {
      await here?.[Symbol.asyncDispose]();
      await there?.[Symbol.asyncDispose]();
    });

    it('never shows the secret of an endpoint, and keeps it sealed', async () => {
      const { body } = await here.call('GET', `/registries/${endpoint}`);
      expect(body).toMatchObject({ credential: { access_key: 'admin', access_secret: '*****' }, status: 'healthy' });
      const row = await here.database.db.selectFrom('registries').selectAll().executeTakeFirstOrThrow();
      expect(JSON.stringify(row)).not.toContain('secret"');
      expect(row.access_secret_sealed).toMatch(/^v1:/);
    });

    it.each([
      [{ name: '', type: 'vic', url: 'http://x' }, 400, 'name cannot be empty'],
      [{ name: 'x', type: 'nexus', url: 'http://x' }, 400, 'adapter factory for'],
      [{ name: 'x', type: 'vic', url: 'ftp://x' }, 400, 'invalid URL'],
      [{ name: 'x', type: 'vic', url: 'http://127.0.0.1:1' }, 400, 'the registry is unhealthy'],
      [{ name: 'x', type: 'vic', url: 'http://x', ca_certificate: 'no' }, 400, 'not PEM'],
    ])('refuses the endpoint %j with %i', async (body, status, text) => {
      const answer = await here.call('POST', '/registries', body);
      expect(answer.status).toBe(status);
      expect(JSON.stringify(answer.body)).toContain(text);
    });

    it('pings what is stored with its own address only', async () => {
      expect((await here.call('POST', '/registries/ping', { id: endpoint })).status).toBe(200);
      // A secret must not be sent where the one who pings says.
      expect((await here.call('POST', '/registries/ping', { id: endpoint, url: 'http://127.0.0.1:1' })).status).toBe(
        200,
      );
      const wrong = await here.call('POST', '/registries/ping', { id: endpoint, access_secret: 'wrong' });
      expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([400, expect.stringContaining('incorrect username')]);
      expect((await here.call('POST', '/registries/ping', {})).status).toBe(400);
    });

    it('forgets the secret when the address changes, and refuses names that are taken', async () => {
      const settings = { name: 'second', type: 'docker-registry', url: there.url };
      const credential = { type: 'basic', access_key: 'admin', access_secret: 'secret' };
      const made = await here.call('POST', '/registries', { ...settings, credential });
      const path = made.headers.get('location')?.replace('/api/v2.0', '') ?? '';
      expect((await here.call('POST', '/registries', { ...settings, credential })).status).toBe(409);
      expect((await here.call('PUT', path, { description: 'changed' })).status).toBe(200);
      expect((await here.call('GET', path)).body).toMatchObject({ description: 'changed' });
      const moved = await here.call('PUT', path, { url: `http://localhost:${there.host.split(':')[1]}` });
      expect([moved.status, JSON.stringify(moved.body)]).toEqual([400, expect.stringContaining('unhealthy')]);
      expect((await here.call('DELETE', path)).status).toBe(200);
      expect((await here.call('GET', path)).status).toBe(404);
    });

    it('tells what endpoints can do', async () => {
      expect((await here.call('GET', '/replication/adapters')).body).toEqual([
        'vic',
        'harbor',
        'docker-registry',
        'docker-hub',
      ]);
      expect(Object.keys((await here.call('GET', '/replication/adapterinfos')).body as object)).toHaveLength(4);
      expect((await here.call('GET', '/registries/0/info')).body).toMatchObject({
        supported_triggers: ['manual', 'scheduled', 'event_based'],
      });
      expect((await here.call('GET', `/registries/${endpoint}/info`)).body).toMatchObject({ type: 'vic' });
    });

    it.each([
      [{ name: '' }, 'empty name'],
      [{ src_registry: { id: 1 } }, 'either src_registry or dest_registry should be empty'],
      [{ dest_registry: { id: 99 } }, 'registry 99 not found'],
      [{ dest_namespace: 'UPPER' }, 'invalid destination namespace'],
      [{ filters: [{ type: 'colour', value: 'x' }] }, 'invalid filter type'],
      [{ filters: [{ type: 'label', value: 'x' }] }, "the type of label filter value isn't string slice"],
      [{ filters: [{ type: 'name', value: 'x', decoration: 'matches' }] }, 'only tag and label filter support'],
      [{ filters: [{ type: 'name', value: '{x' }] }, 'braces'],
      [{ trigger: { type: 'scheduled' } }, 'the cron string cannot be empty'],
      [{ trigger: { type: 'scheduled', trigger_settings: { cron: '5 0 * * * *' } } }, 'must be 0'],
      [{ trigger: { type: 'event_based' }, single_active_replication: true }, 'not allowed for event_based'],
      [{ promotion: { signed: true } }, 'not possible in this installation'],
    ])('refuses the policy with %j', async (settings, text) => {
      const base = { name: 'bad', dest_registry: { id: endpoint }, trigger: { type: 'manual' } };
      const answer = await here.call('POST', '/replication/policies', { ...base, ...settings });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(600);
      expect(JSON.stringify(answer.body)).toContain(text);
    });

    it('keeps, changes and deletes policies; an endpoint in use stays', async () => {
      const cron = '0 30 2 * * *';
      const trigger = { type: 'scheduled', trigger_settings: { cron } };
      const policy = await addPolicy(here, there, { name: 'nightly', trigger, speed: 100, copy_by_chunk: true });
      const { body } = await here.call('GET', `/replication/policies/${policy}`);
      expect(body).toMatchObject({
        name: 'nightly',
        trigger,
        speed: 100,
        copy_by_chunk: true,
        dest_namespace_replace_count: -1,
        dest_registry: { id: endpoint },
        lag: { pending: 0, held: 0, seconds: 0 },
      });
      expect((await here.call('GET', '/replication/policies?name=night')).headers.get('x-total-count')).toBe('1');
      const schedules = await here.database.db.selectFrom('job_schedule').selectAll().execute();
      expect(schedules).toMatchObject([{ vendor_type: 'REPLICATION', vendor_id: policy, cron }]);
      expect((await here.call('DELETE', `/registries/${endpoint}`)).status).toBe(412);
      expect((await here.call('DELETE', `/replication/policies/${policy}`)).status).toBe(200);
      expect((await here.call('GET', `/replication/policies/${policy}`)).status).toBe(404);
      expect(await here.database.db.selectFrom('job_schedule').selectAll().execute()).toEqual([]);
    });
  });
};
