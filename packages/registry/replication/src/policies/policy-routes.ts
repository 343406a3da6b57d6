import { nameOf } from '@vic/authz';
import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import type { HttpApplication } from '@vic/http';
import type { Jobs, Schedules } from '@vic/jobs';
import { auditSubject, parseListQuery, permits, principalOf, sendPage } from '@vic/rest';
import type { RestRoutes } from '@vic/rest';
import type { Database } from '@vic/sql';
import type { RegistryEndpoints } from '../endpoints/registry-endpoints.ts';
import type { LocalArtifacts } from '../peers/local-artifacts.ts';
import type { PromotionApprovals } from '../promotion/promotion-approvals.ts';
import type { PromotionGate } from '../promotion/promotion-gate.ts';
import type { PendingWork } from '../runs/pending-work.ts';
import { PolicyBody, policyDocument, policySettings } from './policy-document.ts';
import type { ReplicationPolicies } from './replication-policies.ts';
import type { PolicySettings, ReplicationPolicy } from './replication-policy.ts';

/** What the routes of policies work with. */
export interface PolicyRoutesDeps {
  readonly database: Database;
  readonly policies: ReplicationPolicies;
  readonly endpoints: RegistryEndpoints;
  readonly pending: PendingWork;
  readonly approvals: PromotionApprovals;
  readonly artifacts: LocalArtifacts;
  readonly gate: PromotionGate;
  readonly repositories: {
    resolve(repository: string, reference: string): Promise<{ readonly digest: string } | undefined>;
  };
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  /** The owner of the schedules. */
  readonly vendorType: string;
  readonly wake: () => void;
}

const LIST_FIELDS = {
  filter: ['name', 'id', 'enabled'],
  sort: ['id', 'name', 'creation_time', 'update_time'],
};
const IdParameters = Type.Object({ id: Type.Integer({ minimum: 0 }) });
const ApprovalBody = Type.Object({
  /** With its project. */
  repository: Type.String({ minLength: 1, maxLength: 512 }),
  /** A tag or digest. */
  reference: Type.String({ minLength: 1, maxLength: 256 }),
});
const ADMINISTRATION = { scope: 'system', resource: 'replication-policy' } as const;
const MAX_APPROVALS_LISTED = 1000;

/** The routes of `/replication/policies`. */
export function policyRoutes(deps: PolicyRoutesDeps): RestRoutes {
  return (app) => {
    registerReading(app, deps);
    registerChanges(app, deps);
    registerApprovals(app, deps);
  };
}

function registerReading(app: HttpApplication, deps: PolicyRoutesDeps): void {
  app.get('/replication/policies', permits({ ...ADMINISTRATION, action: 'list' }), async (request, reply) => {
    const asked = parseListQuery(request, LIST_FIELDS);
    const { name } = request.query as Readonly<Record<string, unknown>>;
    const byName =
      typeof name === 'string' && name !== '' ? [{ kind: 'like', field: 'name', value: name } as const] : [];
    const query = { ...asked, filters: [...asked.filters, ...byName] };
    const page = await deps.policies.list(query);
    const items = await Promise.all(page.items.map(async (policy) => documentOf(deps, policy)));
    return sendPage(request, reply, query, { ...page, items });
  });
  app.get(
    '/replication/policies/:id',
    { ...permits({ ...ADMINISTRATION, action: 'read' }), schema: { params: IdParameters } },
    async (request) => documentOf(deps, await deps.policies.get(request.params.id)),
  );
}

function registerChanges(app: HttpApplication, deps: PolicyRoutesDeps): void {
  const audited = (operation: 'create' | 'update' | 'delete') => ({ operation, resourceType: 'replication_policy' });
  app.post(
    '/replication/policies',
    { ...permits({ ...ADMINISTRATION, action: 'create' }, audited('create')), schema: { body: PolicyBody } },
    async (request, reply) => {
      const settings = await checked(deps, policySettings(request.body));
      auditSubject(request, settings.name);
      const policy = await deps.policies.create(settings, nameOf(principalOf(request)));
      await reschedule(deps, policy);
      const path = (request.originalUrl.split('?')[0] ?? '').replace(/\/+$/, '');
      return reply.code(201).header('location', `${path}/${policy.id}`).send();
    },
  );
  app.put(
    '/replication/policies/:id',
    {
      ...permits({ ...ADMINISTRATION, action: 'update' }, audited('update')),
      schema: { params: IdParameters, body: PolicyBody },
    },
    async (request, reply) => {
      const current = await deps.policies.get(request.params.id);
      auditSubject(request, current.name);
      const policy = await deps.policies.update(current.id, await checked(deps, policySettings(request.body)));
      await reschedule(deps, policy);
      return reply.code(200).send();
    },
  );
  app.delete(
    '/replication/policies/:id',
    { ...permits({ ...ADMINISTRATION, action: 'delete' }, audited('delete')), schema: { params: IdParameters } },
    async (request, reply) => {
      const policy = await deps.policies.get(request.params.id);
      auditSubject(request, policy.name);
      await deps.database.transaction(async (transaction) => {
        await deps.schedules.remove(deps.vendorType, policy.id, transaction);
        await deps.jobs.removeExecutions({ vendorType: deps.vendorType, vendorId: policy.id }, transaction);
        await deps.policies.delete(policy.id, transaction);
      });
      return reply.code(200).send();
    },
  );
}

/** Ours: somebody lets an artifact pass a policy whose promotion asks for that. */
function registerApprovals(app: HttpApplication, deps: PolicyRoutesDeps): void {
  app.post(
    '/replication/policies/:id/approvals',
    {
      ...permits({ ...ADMINISTRATION, action: 'update' }, { operation: 'operate', resourceType: 'promotion' }),
      schema: { params: IdParameters, body: ApprovalBody },
    },
    async (request, reply) => {
      const policy = await deps.policies.get(request.params.id);
      const { repository, reference } = request.body;
      auditSubject(request, `${policy.name}: ${repository}:${reference}`);
      const artifact = await deps.repositories.resolve(repository, reference);
      if (artifact === undefined) {
        const message = `artifact ${repository}:${reference} not found`;
        throw new VicError({ class: 'NotFound', code: 'REPLICATION_ARTIFACT_NOT_FOUND', message });
      }
      const { digest } = artifact;
      await deps.approvals.approve({
        policyId: policy.id,
        repository,
        digest,
        approvedBy: nameOf(principalOf(request)),
      });
      if (policy.trigger.type === 'event_based') {
        const item = { policyId: policy.id, repository, operation: 'copy', digest: '' } as const;
        const travels = await deps.artifacts.travelsAs(repository, digest);
        await deps.pending.add([...travels].map((name) => ({ ...item, reference: name })));
        deps.wake();
      }
      return reply.code(201).send();
    },
  );
  app.get(
    '/replication/policies/:id/approvals',
    { ...permits({ ...ADMINISTRATION, action: 'read' }), schema: { params: IdParameters } },
    async (request) => {
      const { id } = await deps.policies.get(request.params.id);
      const approvals = await deps.approvals.list(id, MAX_APPROVALS_LISTED);
      return approvals.map(({ repository, digest, approvedBy, approvedAtMs }) => ({
        repository,
        digest,
        approved_by: approvedBy,
        approval_time: new Date(approvedAtMs).toISOString(),
      }));
    },
  );
}

async function checked(deps: PolicyRoutesDeps, settings: PolicySettings): Promise<PolicySettings> {
  deps.gate.validate(settings.promotion);
  const id = settings.sourceId ?? settings.destinationId;
  if (id !== undefined && (await deps.endpoints.find(id)) === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REPLICATION_POLICY_REGISTRY',
      message: `registry ${id} not found`,
    });
  }
  return settings;
}

async function reschedule(deps: PolicyRoutesDeps, { id, enabled, trigger }: ReplicationPolicy): Promise<void> {
  const { schedules, vendorType } = deps;
  if (enabled && trigger.type === 'scheduled') {
    await schedules.set({ vendorType, vendorId: id, cronType: 'Custom', cron: trigger.cron });
  } else await schedules.remove(vendorType, id);
  await deps.pending.hurry(id);
  deps.wake();
}

async function documentOf(
  deps: PolicyRoutesDeps,
  policy: ReplicationPolicy,
): Promise<Readonly<Record<string, unknown>>> {
  const endpoint = await deps.endpoints.find(policy.sourceId ?? policy.destinationId ?? 0);
  return policyDocument(policy, endpoint, (await deps.pending.lag()).get(policy.id));
}
