import { VicError } from '@vic/errors';
import { type HttpApplication, Type } from '@vic/http';
import { type RestRoutes, parseListQuery, permits, sendPage } from '@vic/rest';
import { timeText } from './job-bodies.ts';
import type { JobMonitor } from './job-monitor.ts';
import type { Jobs } from './jobs.ts';
import type { Schedules } from './schedules.ts';

/** What the routes are made of. */
export interface JobRoutesDeps {
  readonly jobs: Jobs;
  readonly monitor: JobMonitor;
  readonly schedules: Schedules;
}

const LIST = permits({ scope: 'system', resource: 'jobservice-monitor', action: 'list' });
const STOP = permits(
  { scope: 'system', resource: 'jobservice-monitor', action: 'stop' },
  { operation: 'operate', resourceType: 'job' },
);
const SCHEDULE_FIELDS = { filter: ['id', 'vendor_type', 'vendor_id'], sort: ['id', 'vendor_type', 'update_time'] };
const JOB_ID = Type.Object({ job_id: Type.String({ maxLength: 20 }) });
const ACTION = Type.Object({ action: Type.String({ maxLength: 20 }) });

/** `/jobservice/…` and `/schedules…`: the dashboard of jobs. */
export function jobRoutes(deps: JobRoutesDeps): RestRoutes {
  return (app) => {
    servePools(app, deps);
    serveJobs(app, deps);
    serveQueues(app, deps);
    serveSchedules(app, deps);
  };
}

function servePools(app: HttpApplication, { monitor }: JobRoutesDeps): void {
  app.get('/jobservice/pools', LIST, async () => {
    const pools = await monitor.pools();
    return pools.map((pool) => ({
      worker_pool_id: pool.id,
      pid: pool.pid,
      host: pool.host,
      concurrency: pool.concurrency,
      start_at: timeText(pool.startedAtMs),
      heartbeat_at: timeText(pool.heartbeatAtMs),
    }));
  });
  app.get(
    '/jobservice/pools/:pool_id/workers',
    { ...LIST, schema: { params: Type.Object({ pool_id: Type.String({ maxLength: 64 }) }) } },
    async ({ params }) => {
      const workers = await monitor.workers(params.pool_id === 'all' ? undefined : params.pool_id);
      return workers.map((worker) => ({
        id: String(worker.jobId),
        pool_id: worker.poolId,
        job_name: worker.kind,
        job_id: String(worker.jobId),
        start_at: timeText(worker.startedAtMs),
      }));
    },
  );
}

function serveJobs(app: HttpApplication, { jobs, monitor }: JobRoutesDeps): void {
  app.put('/jobservice/jobs/:job_id', { ...STOP, schema: { params: JOB_ID } }, async ({ params }, reply) => {
    const all = params.job_id.toLowerCase() === 'all';
    const ids = all ? (await monitor.workers()).map(({ jobId }) => jobId) : [await existing(jobs, params.job_id)];
    for (const id of ids) await jobs.stopJob(id);
    return reply.code(200).send();
  });
  app.get('/jobservice/jobs/:job_id/log', { ...LIST, schema: { params: JOB_ID } }, async ({ params }, reply) => {
    const log = await jobs.readLog(await existing(jobs, params.job_id));
    return reply.type('text/plain; charset=utf-8').send(log);
  });
}

function serveQueues(app: HttpApplication, { monitor }: JobRoutesDeps): void {
  app.get('/jobservice/queues', LIST, async () => {
    const queues = await monitor.queues();
    return queues.map((queue) => ({
      job_type: queue.kind,
      count: queue.count,
      latency: Math.round(queue.latencyMs / 1000),
      paused: queue.paused,
    }));
  });
  const schema = { params: Type.Object({ job_type: Type.String({ maxLength: 64 }) }), body: ACTION };
  app.put('/jobservice/queues/:job_type', { ...STOP, schema }, async ({ params, body }, reply) => {
    await act(monitor, await queueNamed(monitor, params.job_type), body.action.toLowerCase());
    return reply.code(200).send();
  });
}

/** Harbor's clients write the names of queues in either case. */
async function queueNamed(monitor: JobMonitor, name: string): Promise<string> {
  const wanted = name.toLowerCase();
  if (wanted === 'all') return wanted;
  const queue = (await monitor.queues()).find(({ kind }) => kind.toLowerCase() === wanted);
  if (queue === undefined) throw notFound(`job queue ${name}`);
  return queue.kind;
}

async function act(monitor: JobMonitor, kind: string, action: string): Promise<void> {
  switch (action) {
    case 'pause':
      return monitor.pause(kind);
    case 'resume':
      return monitor.resume(kind);
    case 'stop':
      return monitor.stopPending(kind);
    default:
      throw new VicError({
        class: 'InvalidArgument',
        code: 'JOB_ACTION_INVALID',
        message: `the action is not supported: ${action}`,
        remedy: 'Use stop, pause or resume.',
      });
  }
}

function serveSchedules(app: HttpApplication, { schedules }: JobRoutesDeps): void {
  app.get('/schedules', LIST, async (request, reply) => {
    const query = parseListQuery(request, SCHEDULE_FIELDS);
    const page = await schedules.list(query);
    const items = page.items.map((schedule) => ({
      id: schedule.id,
      vendor_type: schedule.vendorType,
      vendor_id: schedule.vendorId,
      cron: schedule.cron,
      update_time: timeText(schedule.updatedAtMs),
    }));
    return sendPage(request, reply, query, { items, total: page.total });
  });
  app.get(
    '/schedules/:job_type/paused',
    {
      ...permits({ scope: 'authenticated' }),
      schema: { params: Type.Object({ job_type: Type.String({ maxLength: 64 }) }) },
    },
    async ({ params }) => {
      if (params.job_type.toLowerCase() !== 'all') {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'JOB_TYPE_INVALID',
          message: "job_type can only be 'all'",
        });
      }
      return { paused: await schedules.isPaused() };
    },
  );
}

async function existing(jobs: Jobs, text: string): Promise<number> {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  const job = Number.isNaN(id) ? undefined : await jobs.findJob(id);
  if (job === undefined) throw notFound(`job ${text}`);
  return job.id;
}

function notFound(what: string): VicError {
  return new VicError({ class: 'NotFound', code: 'JOB_NOT_FOUND', message: `${what} not found` });
}
