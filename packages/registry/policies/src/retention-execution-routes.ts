import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import type { Execution, Job, JobStatus } from '@vic/jobs';
import { type RestRoutes, parseListQuery, permits, sendPage } from '@vic/rest';
import { type RetentionRoutesDeps, permittedPolicy } from './retention-request.ts';

const EXECUTIONS = '/retentions/:id/executions';
const Id = Type.Integer({ minimum: 1 });
const PolicyParameters = Type.Object({ id: Id });
const ExecutionParameters = Type.Object({ id: Id, eid: Id });
const TaskParameters = Type.Object({ id: Id, eid: Id, tid: Id });
const Start = Type.Object({ dry_run: Type.Optional(Type.Boolean()) });
const Operation = Type.Object({ action: Type.Optional(Type.String({ maxLength: 32 })) });

/** Harbor's numbers of states. */
const STATUS_CODES: Readonly<Record<JobStatus, number>> = { Pending: 0, Running: 2, Stopped: 3, Error: 3, Success: 3 };

/** Registers the executions of retention policies: started, listed, stopped, with tasks and their logs. */
export function registerRetentionExecutions(app: Parameters<RestRoutes>[0], deps: RetentionRoutesDeps): void {
  registerStartAndStop(app, deps);
  const { retention } = deps;
  app.get(
    EXECUTIONS,
    {
      schema: { params: PolicyParameters },
      ...permits({ scope: 'object', resource: 'tag-retention', action: 'list' }),
    },
    async (request, reply) => {
      const query = parseListQuery(request, { filter: [], sort: [] });
      const page = await retention.executions(await permittedPolicy(request, deps, 'list'), query);
      return sendPage(request, reply, query, { items: page.items.map(executionBody), total: page.total });
    },
  );
  app.get(
    `${EXECUTIONS}/:eid/tasks`,
    {
      schema: { params: ExecutionParameters },
      ...permits({ scope: 'object', resource: 'tag-retention', action: 'list' }),
    },
    async (request, reply) => {
      const query = parseListQuery(request, { filter: [], sort: [] });
      const policy = await permittedPolicy(request, deps, 'list');
      const page = await retention.tasks(await retention.execution(policy, request.params.eid), query);
      return sendPage(request, reply, query, { items: page.items.map(taskBody), total: page.total });
    },
  );
  app.get(
    `${EXECUTIONS}/:eid/tasks/:tid`,
    { schema: { params: TaskParameters }, ...permits({ scope: 'object', resource: 'tag-retention', action: 'read' }) },
    async (request, reply) => {
      const policy = await permittedPolicy(request, deps, 'read');
      const execution = await retention.execution(policy, request.params.eid);
      void reply.type('text/plain; charset=utf-8');
      return retention.taskLog(execution, request.params.tid);
    },
  );
}

function registerStartAndStop(app: Parameters<RestRoutes>[0], deps: RetentionRoutesDeps): void {
  const permission = permits(
    { scope: 'object', resource: 'tag-retention', action: 'operate' },
    { operation: 'operate', resourceType: 'tag-retention' },
  );
  app.post(EXECUTIONS, { schema: { params: PolicyParameters, body: Start }, ...permission }, async (request, reply) => {
    const policy = await permittedPolicy(request, deps, 'operate');
    const id = await deps.retention.execute(policy, request.body.dry_run === true);
    await reply
      .code(201)
      .header('location', `${request.originalUrl.split('?')[0] ?? ''}/${id}`)
      .send();
  });
  app.patch(
    `${EXECUTIONS}/:eid`,
    { schema: { params: ExecutionParameters, body: Operation }, ...permission },
    async (request, reply) => {
      const policy = await permittedPolicy(request, deps, 'operate');
      if (request.body.action !== 'stop') {
        throw new VicError({ class: 'InvalidArgument', code: 'RETENTION_ACTION', message: "action should be 'stop'" });
      }
      await deps.retention.stop(await deps.retention.execution(policy, request.params.eid));
      await reply.code(200).send();
    },
  );
}

function executionBody(execution: Execution): Record<string, unknown> {
  return {
    id: execution.id,
    policy_id: execution.vendorId,
    status: execution.status,
    trigger: execution.trigger,
    dry_run: execution.attributes['dry_run'] === true,
    start_time: new Date(execution.startedAtMs).toISOString(),
    ...timeOf('end_time', execution.endedAtMs),
  };
}

function taskBody(task: Job): Record<string, unknown> {
  return {
    id: task.id,
    execution_id: task.executionId,
    repository: task.attributes['repository'],
    job_id: String(task.id),
    status: task.status,
    status_code: STATUS_CODES[task.status],
    status_revision: Math.floor(task.updatedAtMs / 1000),
    ...timeOf('start_time', task.startedAtMs),
    ...timeOf('end_time', task.endedAtMs),
    total: task.attributes['total'] ?? 0,
    retained: task.attributes['retained'] ?? 0,
  };
}

function timeOf(name: string, timeMs: number | undefined): Record<string, string> {
  return timeMs === undefined ? {} : { [name]: new Date(timeMs).toISOString() };
}
