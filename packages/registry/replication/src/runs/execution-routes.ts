import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import type { HttpApplication } from '@vic/http';
import type { Execution, Job, Jobs } from '@vic/jobs';
import { auditSubject, parseListQuery, permits, sendPage } from '@vic/rest';
import type { RestRoutes } from '@vic/rest';
import type { ListFilter } from '@vic/sql';
import type { ReplicationPolicies } from '../policies/replication-policies.ts';
import { REPLICATION_VENDOR } from './replication-executions.ts';
import type { ReplicationExecutions } from './replication-executions.ts';
import { REPLICATION_KIND } from './replication-task.ts';

/** What the routes of executions work with. */
export interface ExecutionRoutesDeps {
  readonly jobs: Jobs;
  readonly policies: Pick<ReplicationPolicies, 'get'>;
  readonly executions: ReplicationExecutions;
}

const RUNS = { scope: 'system', resource: 'replication' } as const;
const IdParameters = Type.Object({ id: Type.Integer({ minimum: 0 }) });
const TaskParameters = Type.Object({ id: Type.Integer({ minimum: 0 }), task_id: Type.Integer({ minimum: 0 }) });
const ListFilters = Type.Object({
  policy_id: Type.Optional(Type.Integer()),
  status: Type.Optional(Type.String()),
  trigger: Type.Optional(Type.String()),
  resource_type: Type.Optional(Type.String()),
});
const SORT = { filter: [], sort: ['id', 'status', 'start_time', 'end_time'] };

const STATUS_SHOWN: Readonly<Record<string, string>> = {
  Pending: 'InProgress',
  Running: 'InProgress',
  Success: 'Succeed',
  Error: 'Failed',
  Stopped: 'Stopped',
};
const TRIGGER_SHOWN = { MANUAL: 'manual', SCHEDULE: 'scheduled', EVENT: 'event_based' } as const;

/** The routes of `/replication/executions`. */
export function executionRoutes(deps: ExecutionRoutesDeps): RestRoutes {
  return (app) => {
    registerOperations(app, deps);
    registerExecutions(app, deps);
    registerTasks(app, deps);
  };
}

function registerOperations(app: HttpApplication, { jobs, policies, executions }: ExecutionRoutesDeps): void {
  const audited = { operation: 'operate', resourceType: 'replication' } as const;
  app.post(
    '/replication/executions',
    {
      ...permits({ ...RUNS, action: 'create' }, audited),
      schema: { body: Type.Object({ policy_id: Type.Integer() }) },
    },
    async (request, reply) => {
      const policy = await policies.get(request.body.policy_id);
      auditSubject(request, policy.name);
      if (!policy.enabled) {
        const message = `the policy ${policy.id} is disabled`;
        throw new VicError({ class: 'FailedPrecondition', code: 'REPLICATION_POLICY_DISABLED', message });
      }
      const id = await executions.start(policy, 'MANUAL');
      const path = (request.originalUrl.split('?')[0] ?? '').replace(/\/+$/, '');
      return reply.code(201).header('location', `${path}/${id}`).send();
    },
  );
  app.put(
    '/replication/executions/:id',
    { ...permits({ ...RUNS, action: 'create' }, audited), schema: { params: IdParameters } },
    async (request, reply) => {
      const { id } = await executionOf(jobs, request.params.id);
      await jobs.stopExecution(id);
      return reply.code(200).send();
    },
  );
}

function registerExecutions(app: HttpApplication, { jobs }: ExecutionRoutesDeps): void {
  app.get(
    '/replication/executions',
    { ...permits({ ...RUNS, action: 'list' }), schema: { querystring: ListFilters } },
    async (request, reply) => {
      const { policy_id: policyId, status, trigger } = request.query;
      const asked = parseListQuery(request, SORT);
      const query = { ...asked, filters: [...statusFilters(status), ...triggerFilters(trigger)] };
      const owner = { vendorType: REPLICATION_VENDOR, ...(policyId === undefined ? {} : { vendorId: policyId }) };
      const page = await jobs.listExecutions(owner, query);
      return sendPage(request, reply, query, { ...page, items: page.items.map(executionDocument) });
    },
  );
  app.get(
    '/replication/executions/:id',
    { ...permits({ ...RUNS, action: 'read' }), schema: { params: IdParameters } },
    async (request) => executionDocument(await executionOf(jobs, request.params.id)),
  );
}

function registerTasks(app: HttpApplication, { jobs }: ExecutionRoutesDeps): void {
  app.get(
    '/replication/executions/:id/tasks',
    { ...permits({ ...RUNS, action: 'list' }), schema: { params: IdParameters, querystring: ListFilters } },
    async (request, reply) => {
      const execution = await executionOf(jobs, request.params.id);
      const asked = parseListQuery(request, SORT);
      const query = { ...asked, filters: statusFilters(request.query.status) };
      const { resource_type: resourceType } = request.query;
      if (resourceType !== undefined && resourceType !== 'artifact') {
        return sendPage(request, reply, query, { items: [], total: 0 });
      }
      // The search for repositories is no task of a resource, unless it is why the execution failed.
      const kind = isPlanHidden(execution) ? REPLICATION_KIND : undefined;
      const page = await jobs.listTasks(execution.id, query, kind);
      return sendPage(request, reply, query, { ...page, items: page.items.map(taskDocument) });
    },
  );
  app.get(
    '/replication/executions/:id/tasks/:task_id/log',
    { ...permits({ ...RUNS, action: 'read' }), schema: { params: TaskParameters } },
    async (request, reply) => {
      const execution = await executionOf(jobs, request.params.id);
      const task = await jobs.findJob(request.params.task_id, execution.id);
      if (task === undefined) {
        const message = `execution ${execution.id} contains no task with ID ${request.params.task_id}`;
        throw new VicError({ class: 'NotFound', code: 'REPLICATION_TASK_NOT_FOUND', message });
      }
      return reply.type('text/plain').send(await jobs.readLog(task.id));
    },
  );
}

async function executionOf(jobs: Jobs, id: number): Promise<Execution> {
  const execution = await jobs.findExecution(id, { vendorType: REPLICATION_VENDOR });
  if (execution !== undefined) return execution;
  const message = `replication execution ${id} not found`;
  throw new VicError({ class: 'NotFound', code: 'REPLICATION_EXECUTION_NOT_FOUND', message });
}

function executionDocument(execution: Execution): Readonly<Record<string, unknown>> {
  const { tasks } = execution;
  const isPlanned = execution.attributes['plan'] === 'done';
  const hidden = isPlanHidden(execution) ? 1 : 0;
  return {
    id: execution.id,
    policy_id: execution.vendorId,
    status: STATUS_SHOWN[execution.status],
    trigger: TRIGGER_SHOWN[execution.trigger],
    start_time: new Date(execution.startedAtMs).toISOString(),
    ...(execution.endedAtMs === undefined ? {} : { end_time: new Date(execution.endedAtMs).toISOString() }),
    status_text: execution.statusMessage,
    total: Math.max(tasks.total - hidden, 0),
    failed: tasks.Error,
    succeed: Math.max(tasks.Success - (isPlanned ? hidden : 0), 0),
    in_progress: Math.max(tasks.Pending + tasks.Running - (isPlanned ? 0 : hidden), 0),
    stopped: tasks.Stopped,
  };
}

function isPlanHidden({ attributes, status }: Execution): boolean {
  return attributes['plan'] === 'done' || (attributes['plan'] === 'pending' && status === 'Running');
}

function taskDocument(task: Job): Readonly<Record<string, unknown>> {
  return {
    id: task.id,
    execution_id: task.executionId,
    job_id: String(task.id),
    status: task.status === 'Pending' ? 'Pending' : STATUS_SHOWN[task.status],
    operation: task.attributes['operation'] ?? 'plan',
    resource_type: task.attributes['resource_type'] ?? '',
    src_resource: task.attributes['src_resource'] ?? '',
    dst_resource: task.attributes['dst_resource'] ?? '',
    start_time: new Date(task.startedAtMs ?? task.createdAtMs).toISOString(),
    ...(task.endedAtMs === undefined ? {} : { end_time: new Date(task.endedAtMs).toISOString() }),
    ...(task.statusMessage === '' ? {} : { status_text: task.statusMessage }),
  };
}

function statusFilters(status: string | undefined): ListFilter[] {
  if (status === undefined || status === '') return [];
  const values = Object.keys(STATUS_SHOWN).filter((name) => STATUS_SHOWN[name] === status || name === status);
  return [{ kind: 'anyOf', field: 'status', values }];
}

function triggerFilters(trigger: string | undefined): ListFilter[] {
  if (trigger === undefined || trigger === '') return [];
  const found = Object.entries(TRIGGER_SHOWN).find(([, shown]) => shown === trigger);
  return [{ kind: 'equal', field: 'trigger', value: found?.[0] ?? trigger }];
}
