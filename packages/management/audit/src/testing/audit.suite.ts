import { silentLogger } from '@vic/log';
import { EventConsumers, appendEvent } from '@vic/events';
import { JobRunner, Jobs, type JsonObject } from '@vic/jobs';
import type { Database, ListFilter, ListRequest } from '@vic/sql';
import { type DialectSuite, interleaved } from '@vic/sql/testing';
import type { SyslogMessage } from '@vic/syslog';
import { expect, it } from 'vitest';
import {
  AuditLog,
  AuditPurge,
  type AuditSettings,
  AuditWorker,
  type NewAuditRecord,
  auditConsumer,
  verifyChain,
} from '../index.ts';
import { forwardRecords } from '../forward-records.ts';
import { sealRecords } from '../seal-records.ts';

const SETTINGS: AuditSettings = {
  disabled_audit_log_event_types: '',
  pull_audit_log_disable: false,
  audit_log_forward_endpoint: '',
  skip_audit_log_database: false,
};
const HOUR_MS = 3_600_000;

/** What the audit log promises. */
export const auditSuite: DialectSuite = (open) => {
  it('records operations and finds them again', async () => {
    await using database = await open();
    const log = makeLog(database);
    await log.record({
      operation: 'delete',
      resourceType: 'project',
      principal: { kind: 'user', id: 1, name: 'ada', systemAdministrator: true, groupIds: [] },
      resource: 'library',
      project: { id: 3, name: 'library', public: true },
      succeeded: false,
      address: '10.0.0.9',
      method: 'DELETE',
      path: '/api/v2.0/projects/library',
    });
    await log.write([record({ operator: 'bob', atMs: 1000 })]);
    expect(await log.search(all())).toMatchObject({
      total: 2,
      items: [
        { operator: 'ada', operation: 'delete', succeeded: false, address: '10.0.0.9', project: { id: 3 } },
        { operator: 'bob' },
      ],
    });
    expect(await log.search(all({ kind: 'like', field: 'username', value: 'AD' }))).toMatchObject({ total: 1 });
    expect(await log.search(all({ kind: 'equal', field: 'operation_result', value: 'false' }))).toMatchObject({
      items: [{ operator: 'ada' }],
    });
    const early = { kind: 'range', field: 'op_time', from: undefined, to: '1970-01-01 00:00:02' } as const;
    expect(await log.search(all(early))).toMatchObject({ items: [{ operator: 'bob' }] });
    expect((await log.search(all(), [3])).total).toBe(1);
    expect((await log.search(all(), [])).total).toBe(0);
  });

  it('records pushes and pulls from their events, once, and not again from the REST API', async () => {
    await using database = await open();
    const log = makeLog(database);
    await using consumers = new EventConsumers({ database, logger: silentLogger() }, [auditConsumer(log)]);
    await consumers.start();
    const artifact = { ...EVENT, digest: 'sha256:0', mediaType: 'm', artifactType: 'IMAGE', artifactId: 1 };
    await database.transaction(async (transaction) => {
      await appendEvent(transaction, { type: 'artifact.pushed', ...artifact, tags: ['1.0'] });
      await appendEvent(transaction, { type: 'artifact.pulled', ...artifact, tags: [] });
      await appendEvent(transaction, { type: 'artifact.deleted', ...artifact, tags: ['1.0'], breakGlass: 'a leak' });
    });
    await consumers.drain(AbortSignal.timeout(20_000));
    await log.record({
      operation: 'delete',
      resourceType: 'artifact',
      principal: { kind: 'anonymous' },
      resource: 'x (break-glass: a leak)',
      project: undefined,
      succeeded: true,
      address: '',
      method: 'DELETE',
      path: '/x',
    });
    expect((await log.search({ ...all(), sort: [{ field: 'id', descending: false }] })).items).toMatchObject([
      { operation: 'create', resourceType: 'artifact', resource: 'library/busybox:1.0', operator: 'ada' },
      { operation: 'pull', resourceType: 'artifact', resource: 'library/busybox@sha256:0' },
      { operation: 'delete', resource: 'library/busybox:1.0 (break-glass: a leak)' },
    ]);
  });

  it('leaves out what is switched off', async () => {
    await using database = await open();
    const log = makeLog(database, { disabled_audit_log_event_types: 'create_user, x_y', pull_audit_log_disable: true });
    await log.write([
      record({ operation: 'create', resourceType: 'user' }),
      record({ operation: 'pull', resourceType: 'artifact' }),
      record({ operation: 'delete', resourceType: 'user' }),
    ]);
    expect((await log.search(all())).items).toMatchObject([{ operation: 'delete' }]);
  });

  it('chains its records, so that a change, a removal and a forged one are noticed', async () => {
    await using database = await open();
    const log = makeLog(database);
    for (let index = 0; index < 12; index++) await log.write([record({ resource: `r${index}` })]);
    await sealRecords(database);
    expect(await verifyChain(database)).toMatchObject({ intact: true, checked: 12, lastPosition: 12, problems: [] });
    await database.db.updateTable('audit_record').set({ operator: 'eve' }).where('position', '=', 3).execute();
    await database.db.deleteFrom('audit_record').where('position', '=', 7).execute();
    const forged = { position: 12, hash: 'f'.repeat(64) };
    await database.db.updateTable('audit_record').set(forged).where('position', '=', 12).execute();
    expect(await verifyChain(database)).toMatchObject({
      intact: false,
      problems: [
        { position: 3, problem: 'changed' },
        { position: 7, problem: 'missing' },
        { position: 12, problem: 'changed' },
        { position: 12, problem: 'changed' },
      ],
    });
  });

  it('notices that the last records are gone', async () => {
    await using database = await open();
    await makeLog(database).write([record(), record(), record()]);
    await sealRecords(database);
    await database.db.deleteFrom('audit_record').where('position', '>', 1).execute();
    expect((await verifyChain(database)).problems.map(({ position }) => position)).toEqual([2, 3]);
  });

  it('notices by an anchor that the chain was cut off, rewritten or purged past it', async () => {
    await using database = await open();
    const log = makeLog(database);
    await log.write([record(), record(), record()]);
    await sealRecords(database);
    const { lastHash: hash } = await verifyChain(database);
    const anchor = { position: 3, hash };
    await log.write([record()]);
    await sealRecords(database);
    const grown = await verifyChain(database, { anchor });
    expect(grown).toMatchObject({ intact: true, anchor: 'held', lastPosition: 4 });
    const other = { position: 3, hash: grown.lastHash };
    expect(await verifyChain(database, { anchor: other })).toMatchObject({ intact: false, anchor: 'changed' });
    await cutBehind(database, 2);
    expect(await verifyChain(database)).toMatchObject({ intact: true, lastPosition: 2 });
    expect(await verifyChain(database, { anchor })).toMatchObject({ intact: false, anchor: 'cut off' });
    await log.write([record(), record()]);
    await sealRecords(database);
    expect(await verifyChain(database, { anchor })).toMatchObject({ intact: false, anchor: 'changed', problems: [] });
    await database.db.updateTable('audit_chain').set({ first_position: 4, first_hash: '' }).execute();
    expect(await verifyChain(database, { anchor })).toMatchObject({ intact: false, anchor: 'purged' });
  });

  it('chains what several processes write at once', async () => {
    await using database = await open();
    const log = makeLog(database);
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        await log.write([record({ resource: `r${index}` })]);
        if (index % 10 === 0) await sealRecords(database);
      }),
    );
    while ((await sealRecords(database)) > 0);
    expect(await verifyChain(database)).toMatchObject({ intact: true, checked: 60 });
  });

  it('purges by age and type, keeps the chain whole, and only counts in a dry run', async () => {
    await using database = await open();
    const log = makeLog(database);
    const old = Date.now() - 48 * HOUR_MS;
    await log.write([
      record({ atMs: old, operation: 'pull', resourceType: 'artifact' }),
      record({ atMs: old, operation: 'delete', resourceType: 'project' }),
      record({ atMs: old, operation: 'pull', resourceType: 'artifact' }),
      record({ operation: 'pull', resourceType: 'artifact' }),
    ]);
    await sealRecords(database);
    const parameters = { audit_retention_hour: 24, include_event_types: 'pull_artifact', dry_run: true };
    expect(await purge(database, parameters)).toContain('[DRYRUN]Purged 2 rows');
    expect((await log.search(all())).total).toBe(4);
    expect(await purge(database, { ...parameters, dry_run: false })).toContain('Purged 2 rows');
    expect((await log.search(all())).total).toBe(2);
    expect(await verifyChain(database)).toMatchObject({ intact: true, checked: 2, purged: 1 });
    await purge(database, { ...parameters, include_event_types: 'other', dry_run: false });
    expect(await verifyChain(database)).toMatchObject({ intact: true, checked: 1, purged: 0 });
    expect(await database.db.selectFrom('audit_purged').selectAll().execute()).toEqual([]);
  });

  it('forwards every record in order, also those of the time the server was away', async () => {
    await using database = await open();
    const settings = { ...SETTINGS };
    const log = makeLog(database, settings);
    await log.write([record({ resource: 'before' })]);
    const syslog = fakeSyslog();
    await using worker = makeWorker(database, settings, syslog);
    worker.start();
    await expect.poll(async () => (await verifyChain(database)).checked).toBe(1);
    await expect.poll(async () => await forwardedPosition(database)).toBe(1);
    settings.audit_log_forward_endpoint = 'logs:514';
    await log.write([record({ resource: 'one' })]);
    await expect.poll(() => syslog.resources()).toEqual(['one']);
    syslog.away = true;
    await log.write([record({ resource: 'two' })]);
    await log.write([record({ resource: 'three', succeeded: false })]);
    await expect.poll(() => syslog.refused).toBeGreaterThan(0);
    syslog.away = false;
    await expect.poll(() => syslog.resources()).toEqual(['one', 'two', 'three']);
    expect(syslog.messages[2]).toMatchObject({ severity: 'warning', id: 'delete_user', data: { position: '4' } });
  });

  it('forwards what is recorded from the moment on at which a server is named', async () => {
    await using database = await open();
    const settings = { ...SETTINGS };
    const log = makeLog(database, settings);
    const syslog = fakeSyslog();
    let asked = 0;
    const deps = {
      ...{ database, logger: silentLogger(), send: syslog.send },
      settings: async () => {
        const answer = { ...settings };
        if (++asked > 1) return answer;
        // The server is named, and the first record made, while the worker still believes there is none.
        settings.audit_log_forward_endpoint = 'logs:514';
        await log.write([record({ resource: 'first' })]);
        await sealRecords(database);
        return answer;
      },
    };
    await using worker = new AuditWorker(deps, { pollMs: 20, retryMs: 10 });
    worker.start();
    await expect.poll(() => asked).toBeGreaterThan(1);
    await log.write([record({ resource: 'second' })]);
    await expect.poll(() => syslog.resources().at(-1)).toBe('second');
    expect(syslog.resources()).toEqual(['first', 'second']);
  });

  it('passes over what was purged, and not over what is recorded meanwhile', async () => {
    await using database = await open();
    const log = makeLog(database);
    await log.write([record({ resource: 'purged' })]);
    await sealRecords(database);
    await database.db.deleteFrom('audit_record').execute();
    let reads = 0;
    const busy = interleaved(database, { kind: 'select', table: 'audit_record' }, async () => {
      if (++reads > 1) return;
      await log.write([record({ resource: 'meanwhile' })]);
      await sealRecords(database);
    });
    const syslog = fakeSyslog();
    const forward = {
      database: busy,
      owner: 'one',
      send: async (messages: readonly SyslogMessage[]) => syslog.send('', messages),
    };
    await forwardRecords(forward);
    await forwardRecords(forward);
    expect(syslog.resources()).toEqual(['meanwhile']);
  });

  it('two processes forward each record once', async () => {
    await using database = await open();
    const settings = { ...SETTINGS, audit_log_forward_endpoint: 'logs:514' };
    const log = makeLog(database, settings);
    const syslog = fakeSyslog();
    await using one = makeWorker(database, settings, syslog);
    await using two = makeWorker(database, settings, syslog);
    one.start();
    two.start();
    for (let index = 0; index < 30; index++) await log.write([record({ resource: `r${index}` })]);
    await expect.poll(() => syslog.messages.length).toBe(30);
    expect(syslog.messages.map(({ data }) => data['position'])).toEqual(syslog.messages.map((_, i) => String(i + 1)));
  });

  it('keeps nothing that the server has, when told so', async () => {
    await using database = await open();
    const settings = { ...SETTINGS, audit_log_forward_endpoint: 'logs:514', skip_audit_log_database: true };
    const log = makeLog(database, settings);
    const syslog = fakeSyslog();
    await using worker = makeWorker(database, settings, syslog);
    worker.start();
    await log.write([record(), record()]);
    await expect.poll(() => syslog.messages.length).toBe(2);
    await expect.poll(async () => (await log.search(all())).total).toBe(0);
    expect(await verifyChain(database)).toMatchObject({ intact: true, lastPosition: 2 });
  });
};

const EVENT = { projectId: 1, projectName: 'library', operator: 'ada', repository: 'library/busybox' };

function record(values: Partial<NewAuditRecord> = {}): NewAuditRecord {
  return {
    atMs: Date.now(),
    operator: 'ada',
    operation: 'delete',
    resourceType: 'user',
    resource: 'bob',
    succeeded: true,
    ...values,
  };
}

function all(...filters: ListFilter[]): ListRequest {
  return { page: 1, pageSize: 100, filters, sort: [] };
}

function makeLog(database: Database, settings: Partial<AuditSettings> = {}): AuditLog {
  return new AuditLog({ database, settings: async () => ({ ...SETTINGS, ...settings }) });
}

function makeWorker(database: Database, settings: AuditSettings, syslog: FakeSyslog): AuditWorker {
  const deps = { database, logger: silentLogger(), settings: async () => settings, send: syslog.send };
  return new AuditWorker(deps, { pollMs: 20, retryMs: 10 });
}

interface FakeSyslog {
  away: boolean;
  refused: number;
  readonly messages: SyslogMessage[];
  resources(): readonly (string | undefined)[];
  readonly send: (endpoint: string, messages: readonly SyslogMessage[]) => Promise<void>;
}

function fakeSyslog(): FakeSyslog {
  const server: FakeSyslog = {
    away: false,
    refused: 0,
    messages: [],
    resources: () => server.messages.map(({ data }) => data['resource']),
    send: async (_endpoint, messages) => {
      if (server.away) {
        server.refused++;
        throw new Error('away');
      }
      server.messages.push(...messages);
    },
  };
  return server;
}

/** What someone does who can write to the database: the last records go, and the end of the chain with them. */
async function cutBehind({ db }: Database, position: number): Promise<void> {
  const last = await db
    .selectFrom('audit_record')
    .select('hash')
    .where('position', '=', position)
    .executeTakeFirstOrThrow();
  await db.deleteFrom('audit_record').where('position', '>', position).execute();
  await db
    .updateTable('audit_chain')
    .set({ last_position: position, last_hash: last.hash ?? '' })
    .execute();
}

async function forwardedPosition(database: Database): Promise<number> {
  const row = await database.db.selectFrom('audit_chain').select('forwarded_position').executeTakeFirstOrThrow();
  return row.forwarded_position;
}

/** Runs a purge as a job and gives its log. */
async function purge(database: Database, parameters: JsonObject): Promise<string> {
  const jobs = new Jobs(database);
  const auditPurge = new AuditPurge({ database, jobs, settings: async () => SETTINGS });
  const work = { kinds: [auditPurge], vendors: [auditPurge] };
  await using runner = new JobRunner({ database, logger: silentLogger() }, work, { pollMs: 20 });
  runner.start();
  const { systemJob } = auditPurge;
  const id = await systemJob.start(systemJob.parse(parameters));
  await expect.poll(async () => (await jobs.findExecution(id))?.status).toBe('Success');
  const { items } = await jobs.listTasks(id, all());
  return jobs.readLog(items[0]?.id ?? 0);
}
