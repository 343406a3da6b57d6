import { silentLogger } from '@vic/log';
import { temporaryDatabase } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import {
  type JobKind,
  JobMonitor,
  JobRunner,
  type JobVendor,
  Jobs,
  Schedules,
  type SystemJob,
  jobRoutes,
  systemJobRoutes,
} from './index.ts';
import { restCaller } from './testing/index.ts';

describe('the dashboard of jobs', () => {
  it('shows pools, workers, logs and queues, and stops a job', async () => {
    await using world = await makeWorld();
    const { jobs, call } = world;
    const id = await jobs.enqueue({ kind: 'ENDLESS', payload: {} });
    await jobs.enqueue({ kind: 'OTHER', payload: {} });
    await expect.poll(async () => (await call('admin', 'GET', '/jobservice/pools')).body).toHaveLength(1);
    await expect
      .poll(async () => (await call('admin', 'GET', '/jobservice/pools/all/workers')).body)
      .toMatchObject([{ job_name: 'ENDLESS', job_id: String(id) }]);
    expect((await call('admin', 'GET', '/jobservice/queues')).body).toMatchObject([
      { job_type: 'ENDLESS', count: 0, paused: false },
      { job_type: 'OTHER', count: 1, paused: false },
      { job_type: 'PURGE', count: 0, paused: false },
      { job_type: 'SCHEDULER', count: 0, paused: false },
    ]);
    await expect
      .poll(async () => (await call('admin', 'GET', `/jobservice/jobs/${id}/log`)).text)
      .toContain('[INFO] begun');
    expect((await call('admin', 'PUT', `/jobservice/jobs/${id}`)).status).toBe(200);
    await expect.poll(async () => (await jobs.findJob(id))?.status).toBe('Stopped');
    expect((await call('admin', 'PUT', '/jobservice/jobs/999')).status).toBe(404);
    expect((await call('admin', 'GET', '/jobservice/jobs/x/log')).status).toBe(404);
  });

  it('pauses, resumes and empties queues', async () => {
    await using world = await makeWorld();
    const { jobs, call } = world;
    const id = await jobs.enqueue({ kind: 'OTHER', payload: {} });
    const act = async (queue: string, action: string) =>
      (await call('admin', 'PUT', `/jobservice/queues/${queue}`, { action })).status;
    expect(await act('all', 'pause')).toBe(200);
    expect((await call('ada', 'GET', '/schedules/all/paused')).body).toEqual({ paused: true });
    expect(await act('scheduler', 'resume')).toBe(200);
    expect((await call('ada', 'GET', '/schedules/all/paused')).body).toEqual({ paused: false });
    expect(await act('OTHER', 'stop')).toBe(200);
    expect((await jobs.findJob(id))?.status).toBe('Stopped');
    expect(await act('PURGE', 'explode')).toBe(400);
    expect(await act('NONE', 'pause')).toBe(404);
    expect((await call('ada', 'GET', '/schedules/GC/paused')).status).toBe(400);
  });

  it('is for administrators', async () => {
    await using world = await makeWorld();
    for (const path of ['/jobservice/pools', '/jobservice/queues', '/schedules', '/system/purge']) {
      expect((await world.call('ada', 'GET', path)).status).toBe(403);
      expect((await world.call(undefined, 'GET', path)).status).toBe(401);
    }
  });
});

describe('a job of the system', () => {
  it('is started by hand, and its history and log are told', async () => {
    await using world = await makeWorld();
    const { call } = world;
    const started = await call('admin', 'POST', '/system/purge/schedule', {
      schedule: { type: 'Manual' },
      parameters: { hours: 3 },
    });
    expect(started.status).toBe(201);
    const location = String(started.headers['location']);
    expect(location).toMatch(/^\/api\/v2\.0\/system\/purge\/\d+$/);
    const path = location.replace('/api/v2.0', '');
    await expect.poll(async () => (await call('admin', 'GET', path)).body).toMatchObject({ job_status: 'Success' });
    expect((await call('admin', 'GET', `${path}/log`)).text).toContain('[INFO] purged 3');
    const history = await call('admin', 'GET', '/system/purge');
    expect(history.headers['x-total-count']).toBe('1');
    expect(history.body).toMatchObject([
      { job_name: 'PURGE', job_kind: 'MANUAL', job_parameters: '{"hours":3}', deleted: false },
    ]);
    expect((await call('admin', 'PUT', path)).status).toBe(200);
    expect((await call('admin', 'GET', '/system/purge/999')).status).toBe(404);
  });

  it('has one schedule, which is set, shown, changed and removed', async () => {
    await using world = await makeWorld();
    const set = async (method: 'POST' | 'PUT', schedule: object) =>
      world.call('admin', method, '/system/purge/schedule', { schedule, parameters: { hours: 3 } });
    expect((await world.call('admin', 'GET', '/system/purge/schedule')).body).toEqual({});
    expect((await set('POST', { type: 'Daily', cron: '0 0 0 * * *' })).status).toBe(201);
    expect((await set('PUT', { type: 'Custom', cron: '0 0 6 * * *' })).status).toBe(200);
    expect((await world.call('admin', 'GET', '/system/purge/schedule')).body).toMatchObject({
      job_parameters: '{"hours":3}',
      schedule: { type: 'Custom', cron: '0 0 6 * * *' },
    });
    expect((await world.call('admin', 'GET', '/schedules')).body).toMatchObject([
      { vendor_type: 'PURGE', cron: '0 0 6 * * *' },
    ]);
    const bad = await set('PUT', { type: 'Custom', cron: 'soon' });
    expect(bad.status).toBe(400);
    expect(bad.text).toContain('invalid cron string for scheduled purge: soon');
    expect((await set('PUT', { type: 'Whenever' })).status).toBe(400);
    expect((await set('PUT', { type: 'None' })).status).toBe(200);
    expect((await world.call('admin', 'GET', '/system/purge/schedule')).body).toEqual({});
  });
});

async function makeWorld() {
  await using onFailure = new AsyncDisposableStack();
  const database = onFailure.use(await temporaryDatabase());
  const jobs = new Jobs(database);
  const schedules = new Schedules(database);
  const kinds = [endless, purge];
  const vendors: JobVendor[] = [{ vendorType: 'PURGE' }];
  const runner = onFailure.use(new JobRunner({ database, logger: silentLogger() }, { kinds, vendors }, { pollMs: 20 }));
  runner.start();
  const monitor = new JobMonitor(
    database,
    kinds.map(({ kind }) => kind),
  );
  const system: SystemJob = {
    path: '/system/purge',
    name: 'purge',
    vendorType: 'PURGE',
    resource: 'purge-audit',
    parse: (parameters) => parameters,
    start: async (attributes) =>
      jobs.startExecution({
        vendorType: 'PURGE',
        vendorId: 0,
        trigger: 'MANUAL',
        attributes,
        tasks: [{ kind: 'PURGE', payload: attributes }],
      }),
  };
  const routes = [jobRoutes({ jobs, monitor, schedules }), systemJobRoutes({ jobs, schedules }, system)];
  const caller = onFailure.use(await restCaller(...routes));
  const resources = onFailure.move();
  return { jobs, call: caller.call, [Symbol.asyncDispose]: async () => resources.disposeAsync() };
}

const endless: JobKind = {
  kind: 'ENDLESS',
  run: async ({ log, signal }) => {
    log.info('begun');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  },
};

const purge: JobKind = {
  kind: 'PURGE',
  run: async ({ job, log }) => log.info(`purged ${String(job.payload['hours'])}`),
};
