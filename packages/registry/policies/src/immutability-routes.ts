import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import { type RestRoutes, auditSubject, parseListQuery, permits, projectOf, sendPage } from '@vic/rest';
import type { Immutability } from './immutability.ts';
import { ImmutableRuleBody, immutableRuleBody } from './immutable-rule.ts';

const PATH = '/projects/:project_name_or_id/immutabletagrules';
const RuleParameters = Type.Object({
  project_name_or_id: Type.String(),
  immutable_rule_id: Type.Integer({ minimum: 1 }),
});

/** Harbor's `/projects/{project_name_or_id}/immutabletagrules`. */
export function immutabilityRoutes(immutability: Immutability): RestRoutes {
  return (app) => {
    app.get(PATH, permits({ scope: 'project', resource: 'immutable-tag', action: 'list' }), async (request, reply) => {
      const query = parseListQuery(request, { filter: [], sort: [] });
      const rules = await immutability.list(projectOf(request).id);
      const from = (query.page - 1) * query.pageSize;
      const items = rules.slice(from, from + query.pageSize).map(immutableRuleBody);
      return sendPage(request, reply, query, { items, total: rules.length });
    });
    app.post(
      PATH,
      {
        schema: { body: ImmutableRuleBody },
        ...permits(
          { scope: 'project', resource: 'immutable-tag', action: 'create' },
          { operation: 'create', resourceType: 'immutable-tag' },
        ),
      },
      async (request, reply) => {
        const project = projectOf(request);
        const id = await immutability.create(project.id, request.body);
        auditSubject(request, `${project.name}/immutabletagrules/${id}`);
        await reply
          .code(201)
          .header('location', `${request.url.split('?')[0] ?? ''}/${id}`)
          .send();
      },
    );
    registerRule(app, immutability);
  };
}

function registerRule(app: Parameters<RestRoutes>[0], immutability: Immutability): void {
  app.put(
    `${PATH}/:immutable_rule_id`,
    {
      schema: { params: RuleParameters, body: ImmutableRuleBody },
      ...permits(
        { scope: 'project', resource: 'immutable-tag', action: 'update' },
        { operation: 'update', resourceType: 'immutable-tag' },
      ),
    },
    async (request, reply) => {
      const { immutable_rule_id: id } = request.params;
      if (request.body.id !== undefined && request.body.id !== id) {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'IMMUTABLE_RULE_ID',
          message: "the immutable_rule_id doesn't match the id in the payload body of ImmutableRule",
        });
      }
      await immutability.update(projectOf(request).id, id, request.body);
      await reply.code(200).send();
    },
  );
  app.delete(
    `${PATH}/:immutable_rule_id`,
    {
      schema: { params: RuleParameters },
      ...permits(
        { scope: 'project', resource: 'immutable-tag', action: 'delete' },
        { operation: 'delete', resourceType: 'immutable-tag' },
      ),
    },
    async (request, reply) => {
      await immutability.remove(projectOf(request).id, request.params.immutable_rule_id);
      await reply.code(200).send();
    },
  );
}
