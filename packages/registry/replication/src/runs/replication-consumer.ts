import type { EventConsumer, StoredEvent } from '@vic/events';
import type { RegistryEvent } from '@vic/registry-api';
import type { RegistryEndpoints } from '../endpoints/registry-endpoints.ts';
import { hostOf } from '../endpoints/validate-endpoint.ts';
import type { LocalArtifacts } from '../peers/local-artifacts.ts';
import { ArtifactFilter } from '../policies/artifact-filter.ts';
import type { ReplicationPolicies } from '../policies/replication-policies.ts';
import type { ReplicationPolicy } from '../policies/replication-policy.ts';
import { isAccessoryTag } from '../transfer/copy-artifact.ts';
import type { NewPending, PendingWork } from './pending-work.ts';

/** What the consumer writes to and reads from. */
export interface ConsumerDeps {
  readonly policies: Pick<ReplicationPolicies, 'eventBased'>;
  readonly endpoints: Pick<RegistryEndpoints, 'find' | 'markReplicatesHere'>;
  readonly artifacts: Pick<LocalArtifacts, 'travelsAs'>;
  readonly pending: Pick<PendingWork, 'add'>;
  /** Told when there may be something to do. */
  readonly wake: () => void;
}

type ArtifactEvent = Extract<
  RegistryEvent,
  { readonly type: 'artifact.pushed' | 'tag.created' | 'artifact.labelled' | 'scan.completed' }
>;
type DeletionEvent = Extract<RegistryEvent, { readonly type: 'artifact.deleted' | 'tag.deleted' }>;

/**
 * Turns events into work of the policies they concern. It talks to no other registry, so that one that is away
 * delays nobody.
 */
export class ReplicationConsumer implements EventConsumer {
  readonly name = 'replication';
  readonly #deps: ConsumerDeps;
  readonly #origins = new Set<string>();

  constructor(deps: ConsumerDeps) {
    this.#deps = deps;
  }

  async consume(events: readonly StoredEvent[]): Promise<void> {
    const policies = await this.#deps.policies.eventBased();
    for (const { event } of events) {
      await this.#learnOrigin(event);
      for (const policy of policies) await this.#apply(policy, event);
    }
    this.#deps.wake();
  }

  /** Who copies to us must not be overwritten by older tags of ours. */
  async #learnOrigin({ replicatedFrom }: RegistryEvent): Promise<void> {
    if (replicatedFrom === undefined || this.#origins.has(replicatedFrom)) return;
    if (this.#origins.size >= MAX_ORIGINS) this.#origins.clear();
    this.#origins.add(replicatedFrom);
    await this.#deps.endpoints.markReplicatesHere(replicatedFrom);
  }

  async #apply(policy: ReplicationPolicy, event: RegistryEvent): Promise<void> {
    if (!('repository' in event) || !('digest' in event)) return;
    const filter = new ArtifactFilter(policy.filters);
    if (!filter.acceptsRepository(event.repository)) return;
    if (await this.#cameFrom(policy, event.replicatedFrom)) return;
    if (event.type === 'artifact.deleted' || event.type === 'tag.deleted') {
      if (policy.replicateDeletion) await this.#deps.pending.add(deletionsOf(policy, filter, event));
    } else if (concerns(policy, event.type)) {
      await this.#deps.pending.add(await this.#copiesOf(policy, filter, event as ArtifactEvent));
    }
  }

  /** A copy does not go back to where it came from. */
  async #cameFrom(policy: ReplicationPolicy, origin: string | undefined): Promise<boolean> {
    if (origin === undefined || policy.destinationId === undefined) return false;
    const endpoint = await this.#deps.endpoints.find(policy.destinationId);
    return endpoint !== undefined && hostOf(endpoint.url) === origin.toLowerCase();
  }

  async #copiesOf(policy: ReplicationPolicy, filter: ArtifactFilter, event: ArtifactEvent): Promise<NewPending[]> {
    const { repository, digest } = event;
    const references = new Set(await this.#deps.artifacts.travelsAs(repository, digest));
    // A tag that has moved on meanwhile still tells that the destination is behind.
    for (const tag of event.tags) if (!isAccessoryTag(tag)) references.add(tag);
    return [...references]
      .filter((reference) => filter.acceptsTag(reference.includes(':') ? '' : reference))
      .map((reference) => ({ policyId: policy.id, repository, reference, operation: 'copy', digest: '' }));
  }
}

const MAX_ORIGINS = 1000;

function concerns(policy: ReplicationPolicy, type: RegistryEvent['type']): boolean {
  if (type === 'artifact.pushed' || type === 'tag.created') return true;
  if (type === 'scan.completed') return policy.promotion.scanBelow !== undefined;
  if (type !== 'artifact.labelled') return false;
  return policy.promotion.label !== undefined || policy.filters.some((filter) => filter.type === 'label');
}

function deletionsOf(policy: ReplicationPolicy, filter: ArtifactFilter, event: DeletionEvent): NewPending[] {
  const { repository, digest } = event;
  const tags = event.tags.filter((tag) => isAccessoryTag(tag) || filter.acceptsTag(tag));
  // By digest everything goes that the destination has of it: only when nothing of it is kept out by the filters.
  const whole = event.type === 'artifact.deleted' && tags.length === event.tags.length;
  const item = { policyId: policy.id, repository, operation: 'delete', digest } as const;
  return [...tags, ...(whole ? [digest] : [])].map((reference) => ({ ...item, reference }));
}
