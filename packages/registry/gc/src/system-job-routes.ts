import { VicError } from '@vic/errors';
import { type HttpRequest, Type } from '@vic/http';
import type { CronType, Execution, Schedule } from '@vic/jobs';
import { type RestRoutes, auditSubject, parseListQuery, permits, sendPage } from '@vic/rest';
import type { SystemJob } from './system-job.ts';

const CRON_TYPES: readonly CronType[] = ['Hourly', 'Daily', 'Weekly', 'Custom', 'Schedule'];

const ScheduleBody = Type.Object({
  schedule: Type.Object({
    type: Type.String({ maxLength: 32 }),
    cron: Type.Optional(Type.String({ maxLength: 128 })),
  }),
  parameters: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())),
});
const JobParameters = Type.Object({ job_id: Type.Integer({ minimum: 1 }) });
const LIST_FIELDS = {
  filter: ['id', 'status', 'trigger', 'creation_time', 'update_time'],
  sort: ['id', 'status', 'creation_time', 'update_time'],
};

/** Harbor's `/system/gc`, and the same for other jobs of the system. */
export function systemJobRoutes(path: string, job: SystemJob): RestRoutes {
  return (app) => {
    registerSchedule(app, path, job);
    registerExecutions(app, path, job);
  };
}

function registerSchedule(app: Parameters<RestRoutes>[0], path: string, job: SystemJob): void {
  app.get(
    `${path}/schedule`,
    permits({ scope: 'system', resource: 'garbage-collection', action: 'read' }),
    async () => {
      const schedule = await job.findSchedule();
      return schedule === undefined ? {} : scheduleBody(job.name, schedule);
    },
  );
  app.post(
    `${path}/schedule`,
    {
      schema: { body: ScheduleBody },
      ...permits(
        { scope: 'system', resource: 'garbage-collection', action: 'create' },
        { operation: 'create', resourceType: job.name.toLowerCase() },
      ),
    },
    async (request, reply) => {
      const id = await apply(job, request.body);
      auditSubject(request, `${job.name} ${request.body.schedule.type}`);
      if (id !== undefined) void reply.header('location', `${parentOf(request)}/${id}`);
      await reply.code(201).send();
    },
  );
  app.put(
    `${path}/schedule`,
    {
      schema: { body: ScheduleBody },
      ...permits(
        { scope: 'system', resource: 'garbage-collection', action: 'update' },
        { operation: 'update', resourceType: job.name.toLowerCase() },
      ),
    },
    async (request, reply) => {
      await apply(job, request.body);
      auditSubject(request, `${job.name} ${request.body.schedule.type}`);
      await reply.code(200).send();
    },
  );
}

function registerExecutions(app: Parameters<RestRoutes>[0], path: string, job: SystemJob): void {
  app.get(
    path,
    permits({ scope: 'system', resource: 'garbage-collection', action: 'list' }),
    async (request, reply) => {
      const query = parseListQuery(request, LIST_FIELDS);
      const { items, total } = await job.list(query);
      return sendPage(request, reply, query, { items: items.map((item) => executionBody(job.name, item)), total });
    },
  );
  app.get(
    `${path}/:job_id`,
    {
      schema: { params: JobParameters },
      ...permits({ scope: 'system', resource: 'garbage-collection', action: 'read' }),
    },
    async (request) => executionBody(job.name, await job.get(request.params.job_id)),
  );
  app.put(
    `${path}/:job_id`,
    {
      schema: { params: JobParameters },
      ...permits(
        { scope: 'system', resource: 'garbage-collection', action: 'stop' },
        { operation: 'operate', resourceType: job.name.toLowerCase() },
      ),
    },
    async (request, reply) => {
      await job.stop(request.params.job_id);
      auditSubject(request, `${job.name} ${request.params.job_id} stop`);
      await reply.code(200).send();
    },
  );
  app.get(
    `${path}/:job_id/log`,
    {
      schema: { params: JobParameters },
      ...permits({ scope: 'system', resource: 'garbage-collection', action: 'read' }),
    },
    async (request, reply) => reply.type('text/plain; charset=utf-8').send(await job.log(request.params.job_id)),
  );
}

/** `Manual` starts it now and gives its id, `None` takes the schedule away, the others set it. */
async function apply(
  job: SystemJob,
  body: {
    readonly schedule: { readonly type: string; readonly cron?: string };
    readonly parameters?: Readonly<Record<string, unknown>>;
  },
): Promise<number | undefined> {
  const { type, cron = '' } = body.schedule;
  const parameters = body.parameters ?? {};
  if (type === 'Manual') return job.start(parameters);
  const cronType = CRON_TYPES.find((known) => known === type);
  if (cronType !== undefined) await job.schedule(cronType, cron, parameters);
  else if (type === 'None') await job.unschedule();
  else {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'SYSTEM_JOB_SCHEDULE',
      message: `the type of a schedule is Manual, None, ${CRON_TYPES.join(', ')}, not ${JSON.stringify(type)}`,
    });
  }
  return undefined;
}

function scheduleBody(name: string, schedule: Schedule): Record<string, unknown> {
  return {
    id: schedule.id,
    job_name: name,
    job_kind: 'SCHEDULE',
    job_parameters: JSON.stringify(schedule.attributes),
    schedule: {
      type: schedule.cronType,
      cron: schedule.cron,
      next_scheduled_time: new Date(schedule.nextRunAtMs).toISOString(),
    },
    deleted: false,
    creation_time: new Date(schedule.createdAtMs).toISOString(),
    update_time: new Date(schedule.updatedAtMs).toISOString(),
  };
}

function executionBody(name: string, execution: Execution): Record<string, unknown> {
  return {
    id: execution.id,
    job_name: name,
    job_kind: execution.trigger,
    job_parameters: JSON.stringify(execution.attributes),
    schedule: { type: execution.trigger },
    job_status: execution.status,
    deleted: false,
    creation_time: new Date(execution.startedAtMs).toISOString(),
    update_time: new Date(execution.updatedAtMs).toISOString(),
  };
}

/** `/api/v2.0/system/gc` of `/api/v2.0/system/gc/schedule`. */
function parentOf(request: HttpRequest): string {
  const path = request.originalUrl.split('?')[0] ?? '';
  return path.slice(0, path.lastIndexOf('/'));
}
