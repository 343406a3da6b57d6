import type { HttpMethod } from '@vic/http-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClientSite } from './clients-site.ts';

/*
 * Clients read an object, change a field and send all of it back: what an answer has, the body of a change takes.
 */

let site: ClientSite;

beforeAll(async () => {
  site = await ClientSite.open();
  await site.project('team');
  await made('/users', { username: 'ada', email: 'ada@example.com', realname: 'Ada', password: 'Correct1horse' });
  await made('/projects/team/members', { role_id: 2, member_user: { username: 'ada' } });
  const access = [{ resource: 'repository', action: 'pull' }];
  const permissions = [{ kind: 'project', namespace: 'team', access }];
  await made('/robots', { name: 'ci', level: 'project', duration: 30, permissions });
  await made('/labels', { name: 'good', scope: 'p', project_id: 2 });
  const selector = { kind: 'doublestar', decoration: 'matches', pattern: '**' };
  const scope_selectors = { repository: [{ ...selector, decoration: 'repoMatches' }] };
  await made('/projects/team/immutabletagrules', { tag_selectors: [selector], scope_selectors });
  const rule = { action: 'retain', template: 'always', tag_selectors: [selector], scope_selectors };
  const trigger = { kind: 'Schedule', settings: { cron: '' } };
  await made('/retentions', { algorithm: 'or', scope: { level: 'project', ref: 2 }, trigger, rules: [rule] });
  const credential = { type: 'basic', access_key: 'admin', access_secret: site.administrator.password };
  const url = `https://${site.host}`;
  await made('/registries', { name: 'self', type: 'vic', url, insecure: true, credential });
  await made('/replication/policies', { name: 'out', dest_registry: { id: 1 }, trigger: { type: 'manual' } });
  const targets = [{ type: 'http', address: 'https://192.0.2.1/hook' }];
  await made('/projects/team/webhook/policies', { name: 'hook', event_types: ['PUSH_ARTIFACT'], targets });
  await made('/system/gc/schedule', { schedule: { type: 'Daily', cron: '0 0 3 * * *' }, parameters: {} });
  await made('/system/purgeaudit/schedule', {
    schedule: { type: 'Daily', cron: '0 0 2 * * *' },
    parameters: { audit_retention_hour: 24, include_event_types: 'create_artifact', dry_run: false },
  });
  await made('/system/scanAll/schedule', { schedule: { type: 'Daily', cron: '0 0 1 * * *' } });
});
afterAll(async () => site[Symbol.asyncDispose]());

async function made(path: string, body: object): Promise<void> {
  await site.api('POST', path, body);
}

it.each([
  '/users/2',
  '/robots/1',
  '/projects/team/robots/1',
  '/projects/team',
  '/projects/team/members/2',
  '/labels/1',
  '/quotas/2',
  '/retentions/1',
  '/registries/1',
  '/replication/policies/1',
  '/projects/team/webhook/policies/1',
  '/projects/team/trust-policy',
  '/system/CVEAllowlist',
  '/system/gc/schedule',
  '/system/scrub/schedule',
  '/system/purgeaudit/schedule',
  '/system/scanAll/schedule',
])('%s takes back what it answers', async (path) => {
  await expectTakenBack(path, (await site.api('GET', path)).json() as object);
});

it.each([
  ['/projects/team/immutabletagrules', 'id'],
  ['/scanners', 'uuid'],
])('an entry of %s is taken back', async (path, key) => {
  const [first] = (await site.api('GET', path)).json() as Record<string, unknown>[];
  await expectTakenBack(`${path}/${String(first?.[key])}`, first ?? {});
});

/** What is wrong with the values (a robot's name comes with its prefix) is another matter. */
async function expectTakenBack(path: string, body: object): Promise<void> {
  const method: HttpMethod = 'PUT';
  const headers = { 'content-type': 'application/json' };
  const answer = await site.send({ method, url: `/api/v2.0${path}`, body: JSON.stringify(body), headers });
  expect(answer.bytes.toString()).not.toContain('unknown field');
}
