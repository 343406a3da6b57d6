import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import { type RestRoutes, permits } from '@vic/rest';
import { registerRetentionExecutions } from './retention-execution-routes.ts';
import { RetentionPolicyBody, retentionPolicyBody } from './retention-policy.ts';
import { type RetentionRoutesDeps, permittedPolicy, requireForRetention } from './retention-request.ts';
import { retentionMetadataBody } from './retention-templates.ts';

const POLICY = '/retentions/:id';
const PolicyParameters = Type.Object({ id: Type.Integer({ minimum: 1 }) });

/** Harbor's `/retentions`. */
export function retentionRoutes(deps: RetentionRoutesDeps): RestRoutes {
  const { database, retention } = deps;
  return (app) => {
    app.get('/retentions/metadatas', permits({ scope: 'authenticated' }), async () => retentionMetadataBody());
    app.post(
      '/retentions',
      {
        schema: { body: RetentionPolicyBody },
        ...permits(
          { scope: 'object', resource: 'tag-retention', action: 'create' },
          { operation: 'create', resourceType: 'tag-retention' },
        ),
      },
      async (request, reply) => {
        await requireForRetention(request, database, { projectId: request.body.scope.ref, action: 'create' });
        const id = await retention.create(request.body);
        await reply
          .code(201)
          .header('location', `${request.originalUrl.split('?')[0] ?? ''}/${id}`)
          .send();
      },
    );
    app.get(
      POLICY,
      {
        schema: { params: PolicyParameters },
        ...permits({ scope: 'object', resource: 'tag-retention', action: 'read' }),
      },
      async (request) => retentionPolicyBody(await permittedPolicy(request, deps, 'read')),
    );
    registerChanges(app, deps);
    registerRetentionExecutions(app, deps);
  };
}

function registerChanges(app: Parameters<RestRoutes>[0], deps: RetentionRoutesDeps): void {
  app.put(
    POLICY,
    {
      schema: { params: PolicyParameters, body: RetentionPolicyBody },
      ...permits(
        { scope: 'object', resource: 'tag-retention', action: 'update' },
        { operation: 'update', resourceType: 'tag-retention' },
      ),
    },
    async (request, reply) => {
      const policy = await permittedPolicy(request, deps, 'update');
      if (request.body.scope.ref !== policy.projectId) {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'RETENTION_SCOPE',
          message: `retention policy ${policy.id} belongs to project ${policy.projectId}`,
        });
      }
      await deps.retention.update(policy, request.body);
      await reply.code(200).send();
    },
  );
  app.delete(
    POLICY,
    {
      schema: { params: PolicyParameters },
      ...permits(
        { scope: 'object', resource: 'tag-retention', action: 'delete' },
        { operation: 'delete', resourceType: 'tag-retention' },
      ),
    },
    async (request, reply) => {
      await deps.retention.remove(await permittedPolicy(request, deps, 'delete'));
      await reply.code(200).send();
    },
  );
}
