import { VicError } from '@vic/errors';
import type { RepositoryStore } from '@vic/repositories';
import { type RestRoutes, auditSubject, permits, projectOf } from '@vic/rest';
import { TrustPolicySchema } from './trust-policy.ts';
import type { TrustPolicies } from './trust-policies.ts';
import type { TrustVerifier } from './trust-verifier.ts';

/** What {@link trustRoutes} needs. */
export interface TrustRoutesDeps {
  readonly policies: TrustPolicies;
  readonly verifier: TrustVerifier;
  readonly store: Pick<RepositoryStore, 'resolve'>;
}

const POLICY = '/projects/:project_name_or_id/trust-policy';
const TRUST = '/projects/:project_name/repositories/:repository_name/artifacts/:reference/trust';

/** The trust policy of a project, and what it says of an artifact. */
export function trustRoutes({ policies, verifier, store }: TrustRoutesDeps): RestRoutes {
  return (app) => {
    app.get(POLICY, permits({ scope: 'project', resource: 'trust-policy', action: 'read' }), async (request) =>
      policies.find(projectOf(request).id),
    );
    app.put(
      POLICY,
      {
        schema: { body: TrustPolicySchema },
        ...permits(
          { scope: 'project', resource: 'trust-policy', action: 'update' },
          { operation: 'update', resourceType: 'trust-policy' },
        ),
      },
      async (request, reply) => {
        const project = projectOf(request);
        auditSubject(request, project.name);
        await policies.set(project.id, request.body);
        return reply.code(200).send();
      },
    );
    app.get(TRUST, permits({ scope: 'project', resource: 'artifact', action: 'read' }), async (request) => {
      const { repository_name: name = '', reference = '' } = request.params as Readonly<Record<string, string>>;
      const project = projectOf(request);
      const repository = `${project.name}/${decodeURIComponent(name)}`;
      const artifact = await store.resolve(repository, reference);
      if (artifact === undefined) throw notFound(repository, reference);
      const policy = await policies.find(project.id);
      const subject = { repository, digest: artifact.digest };
      return {
        cosign: await verifier.judge(policy, 'cosign', subject),
        notation: await verifier.judge(policy, 'notation', subject),
      };
    });
  };
}

function notFound(repository: string, reference: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'ARTIFACT_NOT_FOUND',
    message: `artifact ${repository}:${reference.slice(0, 200)} not found`,
  });
}
