import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ANONYMOUS, type Principal } from '@vic/authz';
import { createHttpServer } from '@vic/http';
import { JobRunner, Jobs, Schedules } from '@vic/jobs';
import { silentLogger } from '@vic/log';
import { registerRest, restErrorResponse } from '@vic/rest';
import type { DialectSuite, OpenTemporaryDatabase } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { GarbageCollection } from '../garbage-collection.ts';
import { GcWorld } from './gc-world.ts';

const ADMINISTRATOR: Principal = { kind: 'user', id: 1, name: 'admin', systemAdministrator: true, groupIds: [] };

/** `/system/gc` and `/system/scrub` over HTTP. */
export const systemJobSuite: DialectSuite = (open) => {
  describe('the REST API', () => {
    it('collects when it is told to, and tells how it went', async () => {
      await using site = await openSite(open);
      await site.world.image('library/a', ['x'], [await site.world.layer('library/a', 4321)]);
      await site.world.delete('library/a', 'x');
      site.world.aheadMs += 5;
      const dry = await site.runNow('gc', { dry_run: true, time_window: 0 });
      expect(dry.status).toBe('Success');
      expect(dry.parameters).toMatchObject({ dry_run: true, workers: 1, purged_blobs: 2 });
      const { status, parameters, id } = await site.runNow('gc', {
        time_window: 0,
        workers: 3,
        delete_untagged: false,
      });
      expect(status).toBe('Success');
      expect(parameters).toEqual({ ...dry.parameters, dry_run: false, workers: 3 });
      expect((await site.world.stored()).size).toBe(0);
      const log = await site.call('GET', `/system/gc/${id}/log`);
      expect(log.headers.get('content-type')).toMatch(/^text\/plain/);
      expect(log.text).toMatch(/Removed 2 blobs and 1 manifest, 4\.\d KiB\./);
      const list = await site.call('GET', '/system/gc?page_size=1');
      expect(list.headers.get('x-total-count')).toBe('2');
      expect(list.json).toMatchObject([
        { id, job_name: 'GARBAGE_COLLECTION', job_kind: 'MANUAL', job_status: 'Success', deleted: false },
      ]);
    });

    it('keeps a schedule', async () => {
      await using site = await openSite(open);
      expect((await site.call('GET', '/system/gc/schedule')).json).toEqual({});
      const body = { schedule: { type: 'Daily', cron: '0 0 3 * * *' }, parameters: { delete_untagged: true } };
      expect(await site.call('POST', '/system/gc/schedule', body)).toMatchObject({ status: 201 });
      const { json } = await site.call('GET', '/system/gc/schedule');
      expect(json).toMatchObject({
        schedule: { type: 'Daily', cron: '0 0 3 * * *', next_scheduled_time: expect.stringContaining('T03:00:00') },
        job_parameters: expect.stringContaining('"delete_untagged":true'),
      });
      await site.call('PUT', '/system/gc/schedule', { schedule: { type: 'None' } });
      expect((await site.call('GET', '/system/gc/schedule')).json).toEqual({});
    });

    it('scrubs', async () => {
      await using site = await openSite(open);
      await site.world.image('library/a', ['x'], [await site.world.layer('library/a')]);
      const { status, parameters } = await site.runNow('scrub', { workers: 2 });
      expect(status).toBe('Success');
      expect(parameters).toMatchObject({ blobs: 2, manifests: 1, damaged_blobs: 0, missing_blobs: 0 });
      expect(await site.call('GET', '/system/scrub/damaged')).toMatchObject({ status: 200, json: [] });
    });

    it('names the images that damaged content is part of', async () => {
      await using site = await openSite(open);
      const layer = await site.world.layer('library/a');
      const image = await site.world.image('library/a', ['x'], [layer]);
      const hex = layer.digest.slice('sha256:'.length);
      await writeFile(join(site.world.directory, 'blobs/sha256', hex.slice(0, 2), hex), 'something else');
      const { parameters } = await site.runNow('scrub', {});
      expect(parameters).toMatchObject({ damaged_blobs: 1, images: ['library/a:x'], images_total: 1 });
      expect((await site.call('GET', '/system/scrub/damaged')).json).toMatchObject([
        {
          digest: layer.digest,
          images: [{ repository_name: 'library/a', digest: image.digest, tags: ['x'] }],
          images_total: 1,
        },
      ]);
    });

    it.each([
      [{ schedule: { type: 'Manual' }, parameters: { workers: 11 } }, 'Invalid number of workers:11'],
      [{ schedule: { type: 'Manual' }, parameters: { workers: 0 } }, 'Invalid number of workers:0'],
      [{ schedule: { type: 'Manual' }, parameters: { dry_run: 'yes' } }, 'dry_run must be true or false'],
      [{ schedule: { type: 'Manual' }, parameters: { everything: true } }, 'unknown parameter everything'],
      [{ schedule: { type: 'Sometimes' } }, 'unknown schedule type'],
      [{ schedule: { type: 'Custom', cron: 'never' } }, 'cron'],
    ])('refuses %j', async (body, text) => {
      await using site = await openSite(open);
      const answer = await site.call('POST', '/system/gc/schedule', body);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain(text);
    });

    it('knows no other executions, and lets administrators only', async () => {
      await using site = await openSite(open);
      for (const path of ['/system/gc/99', '/system/gc/99/log']) {
        expect(await site.call('GET', path)).toMatchObject({ status: 404 });
      }
      expect(await site.call('PUT', '/system/gc/99')).toMatchObject({ status: 404 });
      site.as(ANONYMOUS);
      expect(await site.call('GET', '/system/gc')).toMatchObject({ status: 401 });
      site.as({ ...ADMINISTRATOR, systemAdministrator: false });
      expect(await site.call('POST', '/system/gc/schedule', { schedule: { type: 'Manual' } })).toMatchObject({
        status: 403,
      });
    });

    it('runs one at a time', async () => {
      await using site = await openSite(open, { started: false });
      const body = { schedule: { type: 'Manual' } };
      const first = await site.call('POST', '/system/gc/schedule', body);
      expect(first.status).toBe(201);
      expect(await site.call('POST', '/system/gc/schedule', body)).toMatchObject({ status: 409 });
      const id = Number(first.headers.get('location')?.split('/').at(-1));
      expect(first.headers.get('location')).toBe(`/api/v2.0/system/gc/${id}`);
      expect(await site.call('PUT', `/system/gc/${id}`)).toMatchObject({ status: 200 });
      expect(await site.call('POST', '/system/gc/schedule', body)).toMatchObject({ status: 201 });
    });
  });
};

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

interface Site extends AsyncDisposable {
  readonly world: GcWorld;
  as(principal: Principal): void;
  call(method: string, path: string, body?: object): Promise<Answer>;
  /** Starts a job and waits for its end. */
  runNow(
    job: 'gc' | 'scrub',
    parameters: object,
  ): Promise<{ readonly id: number; readonly status: string; readonly parameters: Record<string, unknown> }>;
}

async function openSite(open: OpenTemporaryDatabase, { started = true } = {}): Promise<Site> {
  await using resources = new AsyncDisposableStack();
  const world = resources.use(await GcWorld.open(open));
  const { database } = world;
  const logger = silentLogger();
  const collection = new GarbageCollection({
    ...world.deps,
    jobs: new Jobs(database),
    schedules: new Schedules(database),
  });
  const runner = resources.use(
    new JobRunner({ database, logger }, { kinds: collection.kinds, vendors: collection.vendors }, { pollMs: 20 }),
  );
  if (started) runner.start();
  const server = resources.use(createHttpServer({ logger, errorResponse: restErrorResponse }));
  let principal = ADMINISTRATOR;
  const services = {
    authenticate: async () => principal,
    authorizer: { isAllowed: async (who: Principal) => who.kind === 'user' && who.systemAdministrator },
    findProject: async () => undefined,
    isReadOnly: async () => false,
    record: async () => undefined,
  };
  await registerRest(server.app, { prefix: '/api/v2.0', services, logger }, collection.routes);
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const call: Site['call'] = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${(address as { port: number }).port}/api/v2.0${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  };
  const runNow: Site['runNow'] = async (job, parameters) => {
    const begun = await call('POST', `/system/${job}/schedule`, { schedule: { type: 'Manual' }, parameters });
    const id = Number(begun.headers.get('location')?.split('/').at(-1));
    const read = async (): Promise<{ job_status: string; job_parameters: string }> =>
      (await call('GET', `/system/${job}/${id}`)).json as never;
    await expect.poll(async () => (await read()).job_status, { timeout: 20_000 }).not.toMatch(/Running|Pending/);
    const { job_status: status, job_parameters: text } = await read();
    return { id, status, parameters: JSON.parse(text) as Record<string, unknown> };
  };
  const kept = resources.move();
  return {
    world,
    as: (other) => {
      principal = other;
    },
    call,
    runNow,
    [Symbol.asyncDispose]: async () => kept.disposeAsync(),
  };
}
