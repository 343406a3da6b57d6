import { Jobs, Schedules, systemJobRoutes } from '@vic/jobs';
import { restCaller } from '@vic/jobs/testing';
import { temporaryDatabase } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import { AuditLog, AuditPurge, type NewAuditRecord, auditRoutes } from './index.ts';

const LIBRARY = { id: 1, name: 'library' };

it('an administrator sees everything, others what belongs to the projects they may read', async () => {
  await using world = await makeWorld();
  const all = await world.call('admin', 'GET', '/auditlog-exts?page_size=1');
  expect(all.headers['x-total-count']).toBe('2');
  expect(String(all.headers['link'])).toContain('page=2');
  expect(all.body).toMatchObject([
    {
      username: 'bob',
      resource: 'library/busybox:1',
      resource_type: 'artifact',
      operation: 'pull',
      operation_result: true,
      op_time: '1970-01-01T00:00:02.000Z',
    },
  ]);
  expect((await world.call('ada', 'GET', '/auditlog-exts')).body).toHaveLength(1);
  expect((await world.call('eve', 'GET', '/audit-logs')).body).toEqual([]);
  expect((await world.call(undefined, 'GET', '/audit-logs')).status).toBe(401);
});

it('finds by fields, and refuses fields that are not there', async () => {
  await using world = await makeWorld();
  const find = async (query: string) =>
    world.call('admin', 'GET', `/audit-logs?${new URLSearchParams({ q: query }).toString()}`);
  expect((await find('operation=create,username=~AL')).body).toMatchObject([{ username: 'alice' }]);
  expect((await find('op_time=[1970-01-01 00:00:02~]')).body).toMatchObject([{ username: 'bob' }]);
  expect((await find('password=x')).status).toBe(400);
});

it('a project has a log of its own', async () => {
  await using world = await makeWorld();
  expect((await world.call('ada', 'GET', '/projects/library/logs')).body).toMatchObject([{ username: 'bob' }]);
  expect((await world.call('ada', 'GET', '/projects/library/auditlog-exts')).body).toHaveLength(1);
  expect((await world.call('eve', 'GET', '/projects/library/logs')).status).toBe(403);
});

it('lists the types of records', async () => {
  await using world = await makeWorld();
  const { body } = await world.call('admin', 'GET', '/auditlog-exts/events');
  expect(body).toContainEqual({ event_type: 'pull_artifact' });
  expect((await world.call('ada', 'GET', '/auditlog-exts/events')).status).toBe(403);
});

it.each([
  [{}, /audit_retention_hour should provide/],
  [{ audit_retention_hour: 24 }, /include_event_types should provide/],
  [{ audit_retention_hour: 1.5, include_event_types: 'other' }, /should be integer format/],
  [{ audit_retention_hour: 300_000, include_event_types: 'other' }, /should be less than 240000/],
  [{ audit_retention_hour: 24, include_event_types: 'other;drop' }, /not known/],
])('refuses a purge with %j', async (parameters, message) => {
  await using world = await makeWorld();
  const body = { schedule: { type: 'Manual' }, parameters };
  const answer = await world.call('admin', 'POST', '/system/purgeaudit/schedule', body);
  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(message);
});

async function makeWorld() {
  await using onFailure = new AsyncDisposableStack();
  const database = onFailure.use(await temporaryDatabase());
  const settings = async () => ({
    disabled_audit_log_event_types: '',
    pull_audit_log_disable: false,
    audit_log_forward_endpoint: '',
    skip_audit_log_database: false,
  });
  const log = new AuditLog({ database, settings });
  await log.write([
    { ...RECORD, atMs: 1000, operator: 'alice', operation: 'create', resourceType: 'user', resource: 'bob' },
    { ...RECORD, atMs: 2000, operator: 'bob', operation: 'pull', resource: 'library/busybox:1', project: LIBRARY },
  ]);
  const jobs = new Jobs(database);
  const purge = new AuditPurge({ database, jobs, settings });
  const projectsWithLogsFor = async (principal: { kind: string; name?: string }) =>
    principal.name === 'ada' ? [LIBRARY.id] : [];
  const caller = onFailure.use(
    await restCaller(
      auditRoutes({ log, projectsWithLogsFor }),
      systemJobRoutes({ jobs, schedules: new Schedules(database) }, purge.systemJob),
    ),
  );
  const resources = onFailure.move();
  return { call: caller.call, [Symbol.asyncDispose]: async () => resources.disposeAsync() };
}

const RECORD: Pick<NewAuditRecord, 'resourceType' | 'succeeded'> = { resourceType: 'artifact', succeeded: true };
