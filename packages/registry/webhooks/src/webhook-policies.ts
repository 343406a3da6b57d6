import { randomBytes } from 'node:crypto';
import { VicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import {
  type Database,
  type Executor,
  type ListMapping,
  type ListPage,
  type ListRequest,
  type Schema,
  type Selectable,
  fetchPage,
} from '@vic/sql';
import type { AddressGuard } from './address-guard.ts';
import type { WebhookEventType } from './event-type.ts';
import { checkPolicy, checkedEventTypes, payloadFormatOf } from './policy-rules.ts';
import type { NewWebhookPolicy, NewWebhookTarget, WebhookPolicy, WebhookTarget } from './webhook-policy.ts';

/** Encrypts what is stored; satisfied by `SecretBox`. */
export interface Sealer {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
}

/** What {@link WebhookPolicies} is composed of. */
export interface WebhookPoliciesDeps {
  readonly database: Database;
  readonly secrets: Sealer;
  /** Refuses addresses that nothing could be delivered to. */
  readonly guard: Pick<AddressGuard, 'checkUrl'>;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}

const MAPPING: ListMapping = {
  columns: {
    id: { column: 'webhook_policies.id', type: 'number' },
    name: { column: 'webhook_policies.name', type: 'text' },
    enabled: { column: 'webhook_policies.enabled', type: 'flag' },
    creation_time: { column: 'webhook_policies.created_at_ms', type: 'time' },
    update_time: { column: 'webhook_policies.updated_at_ms', type: 'time' },
  },
  defaultSort: ['id'],
};
/** What `Authorization` headers are sealed for. */
export const AUTH_HEADER = 'webhook auth header';
/** What signing secrets are sealed for. */
export const SIGNING_SECRET = 'webhook signing secret';
const SECRET_BYTES = 24;

/** What lists of policies can be filtered and sorted by. */
export const POLICY_FIELDS = { filter: Object.keys(MAPPING.columns), sort: Object.keys(MAPPING.columns) };

/** The webhook policies of all projects. */
export class WebhookPolicies {
  readonly #deps: WebhookPoliciesDeps;
  readonly #now: () => number;

  constructor(deps: WebhookPoliciesDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** One page of a project's policies. */
  async list(projectId: number, request: ListRequest): Promise<ListPage<WebhookPolicy>> {
    const { db } = this.#deps.database;
    const query = db.selectFrom('webhook_policies').selectAll().where('project_id', '=', projectId);
    const page = await fetchPage(db, query, request, MAPPING);
    return { items: page.items.map(policyOfRow), total: page.total };
  }

  /** Every policy of a project. */
  async all(projectId: number): Promise<readonly WebhookPolicy[]> {
    const { db } = this.#deps.database;
    const rows = await db
      .selectFrom('webhook_policies')
      .selectAll()
      .where('project_id', '=', projectId)
      .orderBy('id')
      .execute();
    return rows.map(policyOfRow);
  }

  /** The enabled policies of some projects. */
  async enabledIn(projectIds: readonly number[]): Promise<readonly WebhookPolicy[]> {
    if (projectIds.length === 0) return [];
    const rows = await this.#deps.database.db
      .selectFrom('webhook_policies')
      .selectAll()
      .where('project_id', 'in', projectIds)
      .where('enabled', '=', 1)
      .execute();
    return rows.map(policyOfRow);
  }

  /** The policy, if there is one with that id. */
  async find(id: number): Promise<WebhookPolicy | undefined> {
    const { db } = this.#deps.database;
    const row = await db.selectFrom('webhook_policies').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : policyOfRow(row);
  }

  /** The project's policy with that id. */
  async get(projectId: number, id: number): Promise<WebhookPolicy> {
    const policy = await this.find(id);
    if (policy?.projectId === projectId) return policy;
    throw new VicError({
      class: 'NotFound',
      code: 'WEBHOOK_POLICY_NOT_FOUND',
      message: `project id:${projectId}, webhook policy id: ${id} not found`,
    });
  }

  /** Makes a policy; a signing secret that was made for it is given here and never again. */
  async create(
    projectId: number,
    policy: NewWebhookPolicy,
    creator: string,
  ): Promise<{ readonly id: number; readonly signingSecret: string | undefined }> {
    checkPolicy(policy);
    await this.#checkAddresses(policy, []);
    const nowMs = this.#now();
    const made =
      policy.signingSecret === undefined ? `whsec_${randomBytes(SECRET_BYTES).toString('base64')}` : undefined;
    const row = await this.#deps.database.db
      .insertInto('webhook_policies')
      .values({
        ...this.#values(policy, []),
        project_id: projectId,
        signing_secret: this.#deps.secrets.seal(policy.signingSecret ?? made ?? '', SIGNING_SECRET),
        creator,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      })
      .onConflict((conflict) => conflict.columns(['project_id', 'name']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (row === undefined) throw nameTaken(policy.name);
    return { id: row.id, signingSecret: made };
  }

  /** Replaces a policy; secrets that are not given stay. */
  async update(projectId: number, id: number, policy: NewWebhookPolicy): Promise<void> {
    checkPolicy(policy);
    const current = await this.get(projectId, id);
    await this.#checkAddresses(policy, current.targets);
    const { signingSecret } = policy;
    await this.#deps.database.transaction(async (transaction) => {
      if (await isTaken(transaction, current, policy.name)) throw nameTaken(policy.name);
      await transaction
        .updateTable('webhook_policies')
        .set({
          ...this.#values(policy, current.targets),
          ...(signingSecret === undefined
            ? {}
            : { signing_secret: this.#deps.secrets.seal(signingSecret, SIGNING_SECRET) }),
          updated_at_ms: this.#now(),
        })
        .where('id', '=', id)
        .execute();
    });
  }

  /** Removes a policy. */
  async remove(projectId: number, id: number): Promise<void> {
    await this.get(projectId, id);
    await this.#deps.database.db.deleteFrom('webhook_policies').where('id', '=', id).execute();
  }

  /** What the policy's deliveries are signed with, and the target's `Authorization`. */
  async secretsOf(
    policy: WebhookPolicy,
    target: WebhookTarget,
  ): Promise<{ readonly signingSecret: string; readonly authHeader: string | undefined }> {
    const { signing_secret: sealed } = await this.#deps.database.db
      .selectFrom('webhook_policies')
      .select('signing_secret')
      .where('id', '=', policy.id)
      .executeTakeFirstOrThrow();
    const { sealedAuthHeader } = target;
    return {
      signingSecret: this.#deps.secrets.open(sealed, SIGNING_SECRET),
      authHeader: sealedAuthHeader === undefined ? undefined : this.#deps.secrets.open(sealedAuthHeader, AUTH_HEADER),
    };
  }

  /** When each type of event last set the policies of a project off: by policy id and type. */
  async lastTriggers(projectId: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#deps.database.db
      .selectFrom('webhook_triggers')
      .innerJoin('webhook_policies', 'webhook_policies.id', 'webhook_triggers.policy_id')
      .select(['policy_id', 'event_type', 'triggered_at_ms'])
      .where('project_id', '=', projectId)
      .execute();
    return new Map(rows.map((row) => [`${row.policy_id} ${row.event_type}`, row.triggered_at_ms]));
  }

  /** Notes that an event sets a policy off; false when that event did before. */
  async trigger(
    transaction: Executor,
    policy: WebhookPolicy,
    event: { readonly type: WebhookEventType; readonly position: number },
  ): Promise<boolean> {
    const values = { triggered_at_ms: this.#now(), position: event.position };
    const row = await transaction
      .insertInto('webhook_triggers')
      .values({ policy_id: policy.id, event_type: event.type, ...values })
      .onConflict((conflict) =>
        conflict
          .columns(['policy_id', 'event_type'])
          .doUpdateSet(values)
          .where('webhook_triggers.position', '<', event.position),
      )
      .returning('policy_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Those of targets that stay are not asked about again, so that a policy can still be switched off. */
  async #checkAddresses(policy: NewWebhookPolicy, current: readonly WebhookTarget[]): Promise<void> {
    for (const { address } of policy.targets) {
      if (!current.some((target) => target.address === address)) await this.#deps.guard.checkUrl(address);
    }
  }

  #values(
    policy: NewWebhookPolicy,
    current: readonly WebhookTarget[],
  ): Pick<Selectable<Schema['webhook_policies']>, 'name' | 'description' | 'enabled' | 'targets' | 'event_types'> {
    return {
      name: policy.name,
      description: policy.description,
      enabled: policy.enabled ? 1 : 0,
      targets: JSON.stringify(policy.targets.map((target) => this.#target(target, current))),
      event_types: JSON.stringify(checkedEventTypes(policy.eventTypes)),
    };
  }

  #target(target: NewWebhookTarget, current: readonly WebhookTarget[]): WebhookTarget {
    const before = current.find(({ type, address }) => type === target.type && address === target.address);
    const { authHeader } = target;
    const kept = authHeader === undefined ? before?.sealedAuthHeader : undefined;
    return {
      id: before?.id ?? randomUuid(),
      type: target.type === 'slack' ? 'slack' : 'http',
      address: target.address,
      payloadFormat: payloadFormatOf(target),
      skipCertificateCheck: target.skipCertificateCheck,
      sealedAuthHeader:
        authHeader === undefined || authHeader === '' ? kept : this.#deps.secrets.seal(authHeader, AUTH_HEADER),
    };
  }
}

function policyOfRow(row: Selectable<Schema['webhook_policies']>): WebhookPolicy {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    description: row.description,
    enabled: row.enabled === 1,
    targets: JSON.parse(row.targets) as WebhookTarget[],
    eventTypes: JSON.parse(row.event_types) as WebhookEventType[],
    creator: row.creator,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

async function isTaken(transaction: Executor, policy: WebhookPolicy, name: string): Promise<boolean> {
  const other = await transaction
    .selectFrom('webhook_policies')
    .select('id')
    .where('project_id', '=', policy.projectId)
    .where('name', '=', name)
    .where('id', '!=', policy.id)
    .executeTakeFirst();
  return other !== undefined;
}

function nameTaken(name: string): VicError {
  return new VicError({
    class: 'AlreadyExists',
    code: 'WEBHOOK_POLICY_EXISTS',
    message: `notification policy named ${name} already exists`,
  });
}
