import { nameOf } from '@vic/authz';
import { type HttpApplication, Type } from '@vic/http';
import { auditSubject, parseListQuery, permits, principalOf, projectOf, sendPage } from '@vic/rest';
import { WEBHOOK_EVENT_TYPES } from '../event-type.ts';
import { POLICY_FIELDS } from '../webhook-policies.ts';
import { WEBHOOK_JOB } from '../webhook-delivery.ts';
import type { WebhookRoutesDeps } from '../webhook-routes.ts';
import { POLICY_REQUEST, policyBody, policyOf } from './policy-body.ts';

const POLICIES = '/projects/:project_name_or_id/webhook/policies';
const POLICY = `${POLICIES}/:webhook_policy_id`;
const PARAMETERS = Type.Object({
  project_name_or_id: Type.String(),
  webhook_policy_id: Type.Integer({ minimum: 1 }),
});
const RESOURCE = { scope: 'project', resource: 'notification-policy' } as const;

/** Registers policies and what is known of all of them. */
export function addPolicyRoutes(app: HttpApplication, deps: WebhookRoutesDeps): void {
  const { policies } = deps;
  app.get(POLICIES, permits({ ...RESOURCE, action: 'list' }), async (request, reply) => {
    const query = parseListQuery(request, POLICY_FIELDS);
    const page = await policies.list(projectOf(request).id, query);
    return sendPage(request, reply, query, { items: page.items.map(policyBody), total: page.total });
  });

  app.get(POLICY, { schema: { params: PARAMETERS }, ...permits({ ...RESOURCE, action: 'read' }) }, async (request) =>
    policyBody(await policies.get(projectOf(request).id, request.params.webhook_policy_id)),
  );

  addChangeRoutes(app, deps);

  app.get('/projects/:project_name_or_id/webhook/events', permits({ ...RESOURCE, action: 'read' }), async () => ({
    event_type: WEBHOOK_EVENT_TYPES,
    notify_type: ['http', 'slack'],
    payload_formats: [{ notify_type: 'http', formats: ['CloudEvents', 'Default'] }],
  }));

  app.get(
    '/projects/:project_name_or_id/webhook/lasttrigger',
    permits({ ...RESOURCE, action: 'read' }),
    async (request) => {
      const project = projectOf(request);
      const triggers = await policies.lastTriggers(project.id);
      return (await policies.all(project.id)).flatMap((policy) =>
        policy.eventTypes.map((type) => {
          const triggeredAtMs = triggers.get(`${policy.id} ${type}`);
          return {
            policy_name: policy.name,
            event_type: type,
            enabled: policy.enabled,
            creation_time: new Date(policy.createdAtMs).toISOString(),
            ...(triggeredAtMs === undefined ? {} : { last_trigger_time: new Date(triggeredAtMs).toISOString() }),
          };
        }),
      );
    },
  );
}

function addChangeRoutes(app: HttpApplication, { policies, jobs }: WebhookRoutesDeps): void {
  app.post(
    POLICIES,
    {
      schema: { body: POLICY_REQUEST },
      ...permits({ ...RESOURCE, action: 'create' }, { operation: 'create', resourceType: 'notification-policy' }),
    },
    async (request, reply) => {
      auditSubject(request, request.body.name.slice(0, 256));
      const creator = nameOf(principalOf(request));
      const { id, signingSecret } = await policies.create(projectOf(request).id, policyOf(request.body), creator);
      const path = (request.originalUrl.split('?')[0] ?? '').replace(/\/$/, '');
      void reply.code(201).header('location', `${path}/${id}`);
      return reply.send(signingSecret === undefined ? undefined : { id, signing_secret: signingSecret });
    },
  );

  app.put(
    POLICY,
    {
      schema: { params: PARAMETERS, body: POLICY_REQUEST },
      ...permits({ ...RESOURCE, action: 'update' }, { operation: 'update', resourceType: 'notification-policy' }),
    },
    async (request, reply) => {
      auditSubject(request, request.body.name.slice(0, 256));
      await policies.update(projectOf(request).id, request.params.webhook_policy_id, policyOf(request.body));
      return reply.send();
    },
  );

  app.delete(
    POLICY,
    {
      schema: { params: PARAMETERS },
      ...permits({ ...RESOURCE, action: 'delete' }, { operation: 'delete', resourceType: 'notification-policy' }),
    },
    async (request, reply) => {
      const policy = await policies.get(projectOf(request).id, request.params.webhook_policy_id);
      auditSubject(request, policy.name);
      await policies.remove(policy.projectId, policy.id);
      await jobs.removeExecutions({ vendorType: WEBHOOK_JOB, vendorId: policy.id });
      return reply.send();
    },
  );
}
