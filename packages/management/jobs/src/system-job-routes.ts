import type { Resource } from '@vic/authz';
import { VicError, describeError, isVicError } from '@vic/errors';
import { type HttpApplication, type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, parseListQuery, permits, sendPage } from '@vic/rest';
import { historyBody, scheduleBody } from './job-bodies.ts';
import type { JsonObject } from './job-model.ts';
import type { Jobs } from './jobs.ts';
import type { CronType } from './schedule.ts';
import type { Schedules } from './schedules.ts';

/** A job of the system that is started by hand or by its one schedule: garbage collection, purges. */
export interface SystemJob {
  /** `/system/purgeaudit`. */
  readonly path: string;
  /** The word for it in messages: `log rotation purge`. */
  readonly name: string;
  readonly vendorType: string;
  readonly resource: Resource;
  /** The parameters of a request, checked; throws for what is no request. */
  parse(parameters: JsonObject): JsonObject;
  /** Starts it by hand and gives the id of the execution. */
  start(parameters: JsonObject): Promise<number>;
}

/** What the routes are made of. */
export interface SystemJobDeps {
  readonly jobs: Jobs;
  readonly schedules: Schedules;
}

const FIELDS = {
  filter: ['id', 'status', 'trigger', 'creation_time', 'update_time'],
  sort: ['id', 'status', 'creation_time', 'update_time'],
};
const ID = Type.Object({ id: Type.Integer({ minimum: 1 }) });
const BODY = Type.Object({
  schedule: Type.Object({ type: Type.String(), cron: Type.Optional(Type.String({ maxLength: 100 })) }),
  parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
const CRON_TYPES: readonly CronType[] = ['Hourly', 'Daily', 'Weekly', 'Custom', 'Schedule'];

/** The history, the log and the schedule of a system job, as Harbor serves them. */
export function systemJobRoutes(deps: SystemJobDeps, job: SystemJob): RestRoutes {
  return (app) => {
    serveHistory(app, deps, job);
    serveSchedule(app, deps, job);
  };
}

function serveHistory(app: HttpApplication, { jobs }: SystemJobDeps, job: SystemJob): void {
  const owner = { vendorType: job.vendorType };
  const { resource } = job;
  const find = async (id: number) => {
    const execution = await jobs.findExecution(id, owner);
    if (execution === undefined) throw notFound(job, id);
    return execution;
  };
  app.get(job.path, permits({ scope: 'system', resource, action: 'list' }), async (request, reply) => {
    const query = parseListQuery(request, FIELDS);
    const page = await jobs.listExecutions(owner, query);
    return sendPage(request, reply, query, { items: page.items.map(historyBody), total: page.total });
  });
  const read = { ...permits({ scope: 'system', resource, action: 'read' }), schema: { params: ID } };
  app.get(`${job.path}/:id`, read, async ({ params }) => historyBody(await find(params.id)));
  app.get(`${job.path}/:id/log`, read, async ({ params }, reply) => {
    await find(params.id);
    const tasks = await jobs.listTasks(params.id, { page: 1, pageSize: 1, filters: [], sort: [] });
    const log = tasks.items[0] === undefined ? '' : await jobs.readLog(tasks.items[0].id);
    return reply.type('text/plain; charset=utf-8').send(log);
  });
  const stop = permits({ scope: 'system', resource, action: 'stop' }, { operation: 'operate', resourceType: resource });
  app.put(`${job.path}/:id`, { ...stop, schema: { params: ID } }, async ({ params }, reply) => {
    await jobs.stopExecution((await find(params.id)).id);
    return reply.code(200).send();
  });
}

function serveSchedule(app: HttpApplication, deps: SystemJobDeps, job: SystemJob): void {
  const path = `${job.path}/schedule`;
  const { resource } = job;
  app.get(path, permits({ scope: 'system', resource, action: 'read' }), async () =>
    scheduleBody(await deps.schedules.find(job.vendorType, 0)),
  );
  const audit = { operation: 'create', resourceType: resource } as const;
  const create = { ...permits({ scope: 'system', resource, action: 'create' }, audit), schema: { body: BODY } };
  app.post(path, create, async (request, reply) => {
    const id = await apply(deps, job, request.body);
    return reply
      .code(201)
      .header('location', locationOf(request, job, id))
      .send();
  });
  const updated = { operation: 'update', resourceType: resource } as const;
  const update = { ...permits({ scope: 'system', resource, action: 'update' }, updated), schema: { body: BODY } };
  app.put(path, update, async (request, reply) => {
    await apply(deps, job, request.body);
    return reply.code(200).send();
  });
}

interface ScheduleRequest {
  readonly schedule: { readonly type: string; readonly cron?: string };
  readonly parameters?: JsonObject;
}

/** Does what the type says; gives the id of the execution that was started, or 0. */
async function apply(deps: SystemJobDeps, job: SystemJob, request: ScheduleRequest): Promise<number> {
  const { type, cron = '' } = request.schedule;
  if (type === 'None') {
    await deps.schedules.remove(job.vendorType, 0);
    return 0;
  }
  const parameters = job.parse(request.parameters ?? {});
  if (type === 'Manual') return job.start(parameters);
  const cronType = CRON_TYPES.find((known) => known === type);
  if (cronType === undefined) throw invalid(`unknown schedule type: ${type.slice(0, 50)}`);
  try {
    await deps.schedules.set({ vendorType: job.vendorType, vendorId: 0, cronType, cron, attributes: parameters });
  } catch (error) {
    if (!isVicError(error, { class: 'InvalidArgument' })) throw error;
    throw invalid(`invalid cron string for scheduled ${job.name}: ${cron}, error: ${describeError(error)}`);
  }
  return 0;
}

function locationOf(request: HttpRequest, job: SystemJob, id: number): string {
  const path = request.originalUrl.split('?')[0] ?? '';
  return `${path.slice(0, path.lastIndexOf(job.path))}${job.path}/${id}`;
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'SCHEDULE_INVALID', message });
}

function notFound(job: SystemJob, id: number): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'JOB_EXECUTION_NOT_FOUND',
    message: `${job.name} job with id ${id} not found`,
  });
}
