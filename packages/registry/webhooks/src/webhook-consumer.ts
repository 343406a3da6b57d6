import type { EventConsumer, StoredEvent } from '@vic/events';
import type { Jobs, NewJob } from '@vic/jobs';
import type { Database } from '@vic/sql';
import { formatPayload } from './format-payload.ts';
import { type WebhookPayload, payloadOf } from './payload.ts';
import type { WebhookPolicies } from './webhook-policies.ts';
import type { WebhookPolicy } from './webhook-policy.ts';
import { WEBHOOK_JOB } from './webhook-delivery.ts';

/** Finds projects by their id. */
export interface ProjectReader {
  findById(id: number): Promise<{ readonly public: boolean } | undefined>;
}

/** What {@link WebhookConsumer} is composed of. */
export interface WebhookConsumerDeps {
  readonly database: Database;
  readonly policies: WebhookPolicies;
  readonly jobs: Pick<Jobs, 'startExecution'>;
  readonly projects: ProjectReader;
  /** How clients name the registry: `registry.example:8443`. */
  readonly registryHost: string;
  /** The setting `notification_enable`. */
  isEnabled(): Promise<boolean>;
}

/** Turns events into deliveries: one execution for each policy an event sets off, one task for each target. */
export class WebhookConsumer implements EventConsumer {
  readonly name = 'webhooks';
  readonly #deps: WebhookConsumerDeps;

  constructor(deps: WebhookConsumerDeps) {
    this.#deps = deps;
  }

  async consume(events: readonly StoredEvent[]): Promise<void> {
    if (!(await this.#deps.isEnabled())) return;
    const projectIds = [...new Set(events.map(({ event }) => event.projectId))];
    const policies = await this.#deps.policies.enabledIn(projectIds);
    for (const stored of events) {
      const concerned = policies.filter((policy) => policy.projectId === stored.event.projectId);
      if (concerned.length > 0) await this.#tell(stored, concerned);
    }
  }

  async #tell(stored: StoredEvent, policies: readonly WebhookPolicy[]): Promise<void> {
    const project = await this.#deps.projects.findById(stored.event.projectId);
    const payload = payloadOf(stored.event, {
      occurredAtMs: stored.occurredAtMs,
      projectIsPublic: project?.public === true,
      registryHost: this.#deps.registryHost,
    });
    if (payload === undefined) return;
    for (const policy of policies.filter(({ eventTypes }) => eventTypes.includes(payload.type))) {
      await this.#deliver(stored, payload, policy);
    }
  }

  /** The event is told at least once; the policy is set off by it once. */
  async #deliver({ position }: StoredEvent, payload: WebhookPayload, policy: WebhookPolicy): Promise<void> {
    await this.#deps.database.transaction(async (transaction) => {
      const isNew = await this.#deps.policies.trigger(transaction, policy, { type: payload.type, position });
      if (!isNew) return;
      const attributes = { event_type: payload.type, operator: payload.operator };
      await this.#deps.jobs.startExecution(
        {
          vendorType: WEBHOOK_JOB,
          vendorId: policy.id,
          trigger: 'EVENT',
          attributes,
          tasks: policy.targets.map((target, index): NewJob => {
            const id = `${policy.id}-${position}-${index + 1}`;
            const { body, contentType } = formatPayload(payload, { id, policy, target });
            return {
              kind: WEBHOOK_JOB,
              payload: { id, policyId: policy.id, targetId: target.id, body, contentType },
              attributes: { ...attributes, notify_type: target.type, delivery_id: id },
            };
          }),
        },
        transaction,
      );
    });
  }
}
