import { delay } from '@vic/async';
import { describeError, isVicError, VicError } from '@vic/errors';
import type { JobContext, JobKind } from '@vic/jobs';
import { isContentDigest } from '@vic/oci';
import { BandwidthLimit } from '@vic/registry-client';
import type { RepositoryStore } from '@vic/repositories';
import type { Database } from '@vic/sql';
import { ArtifactFilter } from '../policies/artifact-filter.ts';
import { destinationName } from '../policies/destination-name.ts';
import type { ReplicationPolicies } from '../policies/replication-policies.ts';
import type { ReplicationPolicy } from '../policies/replication-policy.ts';
import type { PromotionGate } from '../promotion/promotion-gate.ts';
import { reconcileRepository } from '../transfer/reconcile-repository.ts';
import type { HoldReason, Reconciliation, ReconciliationReport, UnitResult } from '../transfer/reconcile-repository.ts';
import { sentTags } from './sent-tags.ts';
import { deleteReference } from './delete-reference.ts';
import type { PendingItem, PendingWork } from './pending-work.ts';
import type { PolicyPeers, ReplicationPeers } from './replication-peers.ts';

/** What a task works with. */
export interface TaskDeps {
  readonly database: Database;
  readonly policies: Pick<ReplicationPolicies, 'get'>;
  readonly peers: ReplicationPeers;
  readonly pending: PendingWork;
  readonly gate: PromotionGate;
  readonly repositories: Pick<RepositoryStore, 'resolve'>;
  /** Told when work that was under way has changed meanwhile. */
  readonly wake: () => void;
}

/** What a task is to do: the whole repository, or the references of the pending work. */
export interface TaskPayload {
  readonly policyId: number;
  readonly repository: string;
  readonly references?: readonly string[];
}

/** The queue of tasks, by Harbor's name. */
export const REPLICATION_KIND = 'REPLICATION';

const CHUNK_BYTES = 10 * 1024 * 1024;
const PARALLEL_TASKS = 4;
const RECONCILE_TRIES = 3;
const RECONCILE_PAUSE_MS = 3_000;

/** The job that brings one repository of a policy up to date. */
export function replicationTask(deps: TaskDeps): JobKind {
  return {
    kind: REPLICATION_KIND,
    concurrency: PARALLEL_TASKS,
    run: async (context) => runTask(deps, context, context.job.payload as unknown as TaskPayload),
  };
}

async function runTask(deps: TaskDeps, context: JobContext, payload: TaskPayload): Promise<void> {
  const policy = await deps.policies.get(payload.policyId);
  await using peers = await deps.peers.open(policy);
  const run = reconciliationOf(deps, context, policy, peers, payload.repository);
  const report =
    payload.references === undefined
      ? await reconcileAll(deps, run, policy)
      : await carryOut(deps, run, policy.id, payload.references);
  await context.setAttributes({ copied: report.manifests, blobs: report.blobs, bytes: report.bytes });
  context.log.info(`${report.manifests} manifests and ${report.blobs} blobs (${report.bytes} bytes) were copied.`);
  throwFailures(report.results);
}

function reconciliationOf(
  deps: TaskDeps,
  context: JobContext,
  policy: ReplicationPolicy,
  peers: PolicyPeers,
  repository: string,
): Reconciliation {
  const speed = policy.speedKiBPerSecond;
  return {
    source: peers.source,
    sourceRepository: repository,
    target: peers.target,
    targetRepository: destinationName(repository, policy.destinationNamespace, policy.replaceCount),
    limit: speed > 0 ? new BandwidthLimit(speed * 1024) : undefined,
    chunkBytes: policy.copyByChunk ? CHUNK_BYTES : undefined,
    signal: context.signal,
    tell: (what) => context.log.info(what),
    filter: new ArtifactFilter(policy.filters),
    override: policy.override,
    laterWins: peers.endpoint.replicatesHere,
    sent: sentTags(deps.database, policy.id, repository),
    holdReason: policy.sourceId === undefined ? holdReasonOf(deps, policy) : undefined,
  };
}

function holdReasonOf(deps: TaskDeps, policy: ReplicationPolicy): HoldReason | undefined {
  if (Object.keys(policy.promotion).length === 0) return undefined;
  return async (repository, digest) => {
    const artifact = await deps.repositories.resolve(repository, digest);
    if (artifact === undefined) return undefined;
    const { id, projectId } = artifact;
    return deps.gate.holdReason(policy, { artifactId: id, projectId, repository, digest });
  };
}

/**
 * Compares the whole repository. What fails is tried again: at once a few times, or, by a policy that follows
 * events, with the patience of pending work.
 */
async function reconcileAll(
  deps: TaskDeps,
  run: Reconciliation,
  policy: ReplicationPolicy,
): Promise<ReconciliationReport> {
  if (policy.trigger.type === 'event_based') {
    const refusedBefore = await deps.pending.refusedOf(policy.id, run.sourceRepository);
    const report = await reconcileRepository(run);
    await keepAccount(deps, run, policy.id, { results: report.results, refusedBefore });
    return report;
  }
  for (let attempt = 1; ; attempt++) {
    const report = await reconcileRepository(run);
    const left = report.results.filter(({ outcome }) => outcome.kind === 'failed' && mayHelpToRetry(outcome.error));
    if (left.length === 0 || attempt >= RECONCILE_TRIES) return report;
    run.tell(`${left.length} artifacts are tried again.`);
    await delay(RECONCILE_PAUSE_MS * attempt, run.signal);
  }
}

/**
 * What a full comparison of a repository could not bring over becomes pending work, and what was is no longer. It is
 * the pending work that then finds out whether it is refused for good: it may have changed meanwhile.
 */
async function keepAccount(
  { pending }: TaskDeps,
  run: Reconciliation,
  policyId: number,
  found: { readonly results: readonly UnitResult[]; readonly refusedBefore: readonly PendingItem[] },
): Promise<void> {
  const { sourceRepository: repository } = run;
  const left = found.results.filter(({ outcome }) => outcome.kind === 'failed' || outcome.kind === 'held');
  const item = { policyId, repository, operation: 'copy', digest: '' } as const;
  await pending.add(left.map(({ reference }) => ({ ...item, reference })));
  const isLeft = new Set(left.map(({ reference }) => reference));
  await pending.forgetRefused(found.refusedBefore.filter(({ reference }) => !isLeft.has(reference)));
}

/** Does the pending work of the references, and keeps account of what is left of it. */
async function carryOut(
  deps: TaskDeps,
  run: Reconciliation,
  policyId: number,
  references: readonly string[],
): Promise<ReconciliationReport> {
  const items = await deps.pending.find(policyId, run.sourceRepository, references);
  const total = { manifests: 0, blobs: 0, bytes: 0 };
  const results: UnitResult[] = [];
  for (const item of items) {
    const isDeletion = item.operation === 'delete' && (await isGone(run, item));
    const report = isDeletion ? await deleteOne(run, item) : await reconcileRepository(run, [item.reference]);
    total.manifests += report.manifests;
    total.blobs += report.blobs;
    total.bytes += report.bytes;
    results.push(...report.results);
    await settle(deps, item, report.results);
  }
  deps.wake();
  return { ...total, results };
}

/** What was deleted and pushed again since is a copy. */
async function isGone(run: Reconciliation, item: PendingItem): Promise<boolean> {
  return (await run.source.head(run.sourceRepository, item.reference, run.signal)) === undefined;
}

async function deleteOne(run: Reconciliation, item: PendingItem): Promise<ReconciliationReport> {
  const { reference } = item;
  try {
    await deleteReference(run, item);
    return { manifests: 0, blobs: 0, bytes: 0, results: [{ reference, outcome: { kind: 'copied' } }] };
  } catch (error) {
    run.signal.throwIfAborted();
    run.tell(`${reference} could not be deleted: ${describeError(error)}`);
    return { manifests: 0, blobs: 0, bytes: 0, results: [{ reference, outcome: { kind: 'failed', error } }] };
  }
}

async function settle(deps: TaskDeps, item: PendingItem, results: readonly UnitResult[]): Promise<void> {
  const outcome = results[0]?.outcome;
  if (outcome?.kind === 'held') await deps.pending.held(item, outcome.reason);
  else if (outcome?.kind === 'failed') {
    const error = describeError(outcome.error);
    await (mayHelpToRetry(outcome.error) ? deps.pending.failed(item, error) : deps.pending.refused(item, error));
  } else await deps.pending.done(item);
}

/** What the destination refuses for good (a quota, an immutable tag) waits for the next full comparison. */
function mayHelpToRetry(error: unknown): boolean {
  return !isVicError(error, { code: 'REGISTRY_REFUSED' }) && !isVicError(error, { class: 'NotSupported' });
}

function throwFailures(results: readonly UnitResult[]): void {
  const failed = results.filter(({ outcome }) => outcome.kind === 'failed' || outcome.kind === 'conflict');
  const [first] = failed;
  if (first === undefined) return;
  const { outcome } = first;
  const reason =
    outcome.kind === 'failed'
      ? describeError(outcome.error)
      : 'the destination has another artifact under this tag, and the policy does not override';
  throw new VicError({
    class: outcome.kind === 'failed' && isVicError(outcome.error) ? outcome.error.class : 'Conflict',
    code: 'REPLICATION_INCOMPLETE',
    message: `${failed.length} of ${results.length} artifacts could not be replicated; ${nameOf(first.reference)}: ${reason}`,
  });
}

function nameOf(reference: string): string {
  return isContentDigest(reference) ? reference.slice(0, 19) : reference;
}
