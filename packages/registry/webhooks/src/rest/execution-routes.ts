import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpRequest, Type } from '@vic/http';
import { type Execution, executionBody, taskBody } from '@vic/jobs';
import { parseListQuery, permits, projectOf, sendPage } from '@vic/rest';
import { WEBHOOK_JOB } from '../webhook-delivery.ts';
import type { WebhookRoutesDeps } from '../webhook-routes.ts';

const EXECUTIONS = '/projects/:project_name_or_id/webhook/policies/:webhook_policy_id/executions';
const ID = Type.Integer({ minimum: 1 });
const OF_POLICY = Type.Object({ project_name_or_id: Type.String(), webhook_policy_id: ID });
const OF_EXECUTION = Type.Object({ ...OF_POLICY.properties, execution_id: ID });
const OF_TASK = Type.Object({ ...OF_EXECUTION.properties, task_id: ID });
const READ = permits({ scope: 'project', resource: 'notification-policy', action: 'read' });
const FIELDS = {
  filter: ['id', 'status', 'trigger', 'start_time', 'end_time', 'creation_time', 'update_time'],
  sort: ['id', 'status', 'start_time', 'end_time', 'creation_time', 'update_time'],
};
const TASK_FIELDS = { filter: ['id', 'status', 'creation_time'], sort: ['id', 'status', 'creation_time'] };

/** Registers what policies sent: executions, their tasks and the tasks' logs. */
export function addExecutionRoutes(app: HttpApplication, deps: WebhookRoutesDeps): void {
  const { jobs } = deps;
  app.get(EXECUTIONS, { schema: { params: OF_POLICY }, ...READ }, async (request, reply) => {
    const query = parseListQuery(request, FIELDS);
    const policy = await deps.policies.get(projectOf(request).id, request.params.webhook_policy_id);
    const page = await jobs.listExecutions({ vendorType: WEBHOOK_JOB, vendorId: policy.id }, query);
    return sendPage(request, reply, query, { items: page.items.map(executionBody), total: page.total });
  });

  app.get(
    `${EXECUTIONS}/:execution_id/tasks`,
    { schema: { params: OF_EXECUTION }, ...READ },
    async (request, reply) => {
      const query = parseListQuery(request, TASK_FIELDS);
      const execution = await executionOf(deps, request, request.params);
      const page = await jobs.listTasks(execution.id, query);
      return sendPage(request, reply, query, { items: page.items.map(taskBody), total: page.total });
    },
  );

  app.get(
    `${EXECUTIONS}/:execution_id/tasks/:task_id/log`,
    { schema: { params: OF_TASK }, ...READ },
    async (request, reply) => {
      const execution = await executionOf(deps, request, request.params);
      const task = await jobs.findJob(request.params.task_id, execution.id);
      if (task === undefined) throw notFound(`task ${request.params.task_id}`, `execution ${execution.id}`);
      void reply.type('text/plain; charset=utf-8');
      return jobs.readLog(task.id);
    },
  );
}

async function executionOf(
  deps: WebhookRoutesDeps,
  request: HttpRequest,
  parameters: { readonly webhook_policy_id: number; readonly execution_id: number },
): Promise<Execution> {
  const policy = await deps.policies.get(projectOf(request).id, parameters.webhook_policy_id);
  const owner = { vendorType: WEBHOOK_JOB, vendorId: policy.id };
  const execution = await deps.jobs.findExecution(parameters.execution_id, owner);
  if (execution === undefined) throw notFound(`execution ${parameters.execution_id}`, `policy ${policy.id}`);
  return execution;
}

function notFound(what: string, where: string): VicError {
  return new VicError({ class: 'NotFound', code: 'WEBHOOK_RUN_NOT_FOUND', message: `${what} not found in ${where}` });
}
