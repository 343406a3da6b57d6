import { delay, withDeadline } from '@vic/async';
import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { RegistryEndpoints } from '../endpoints/registry-endpoints.ts';
import type { PeerFactory } from '../peers/peer-factory.ts';
import type { ReplicationPolicies } from '../policies/replication-policies.ts';
import type { ReplicationPolicy } from '../policies/replication-policy.ts';
import type { PendingWork } from './pending-work.ts';
import type { ReplicationExecutions } from './replication-executions.ts';

/** What the runner works with. */
export interface PendingRunnerDeps {
  readonly policies: ReplicationPolicies;
  readonly endpoints: RegistryEndpoints;
  readonly factory: PeerFactory;
  readonly pending: PendingWork;
  readonly executions: ReplicationExecutions;
  readonly logger: Logger;
  /** How often work that became due by itself is looked for; 2 s when absent. */
  readonly pollMs?: number | undefined;
  /** How often event-based policies compare both sides in full, so that nothing is missing for long; 6 h when absent. */
  readonly reconcileEveryMs?: number | undefined;
  /** Pause before a destination that is away is asked again, doubling up to 5 min; 2 s when absent. */
  readonly firstRetryMs?: number | undefined;
  /** How often destinations that nothing is to be brought to are asked whether they are there; 1 min when absent. */
  readonly checkEveryMs?: number | undefined;
}

const POLL_MS = 2_000;
const RECONCILE_EVERY_MS = 6 * 3600_000;
const CHECK_EVERY_MS = 60_000;
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 5 * 60_000;
/** A destination that takes longer to say hello is away. */
const PING_TIMEOUT_MS = 10_000;
const MAX_WAIT_AT_END_MS = 5_000;

/**
 * Starts what event-based policies have to do. Each policy on its own: a destination that is away delays only what
 * goes there, and is asked less and less often until it is back.
 */
export class PendingRunner implements AsyncDisposable {
  readonly #deps: PendingRunnerDeps;
  readonly #ended = new AbortController();
  readonly #underWay = new Map<number, Promise<void>>();
  /** When the destination of a policy was asked last, and how often it was away since it last was there. */
  readonly #asked = new Map<number, { readonly atMs: number; readonly failures: number }>();
  #woken = Promise.withResolvers<void>();
  #loop: Promise<void> | undefined;

  constructor(deps: PendingRunnerDeps) {
    this.#deps = deps;
  }

  /** Begins to look for work. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Looks for work at once. */
  wake(): void {
    this.#woken.resolve();
  }

  /** Stops to look for work; tasks that were begun are the job runner's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.wake();
    await this.#loop;
    const ended = async (): Promise<unknown> => Promise.allSettled(this.#underWay.values());
    await withDeadline('pending replication to be handed over', MAX_WAIT_AT_END_MS, ended).catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      this.#woken = Promise.withResolvers<void>();
      try {
        await this.#round();
      } catch (error) {
        this.#deps.logger.warn('Pending replication could not be looked up', { error: describeError(error) });
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const timer = new AbortController();
    try {
      await Promise.race([this.#woken.promise, delay(this.#deps.pollMs ?? POLL_MS, timer.signal)]);
    } finally {
      timer.abort();
    }
  }

  async #round(): Promise<void> {
    const due = new Set(await this.#deps.pending.duePolicies());
    for (const policy of await this.#deps.policies.eventBased()) {
      if (this.#underWay.has(policy.id) || this.#ended.signal.aborted) continue;
      const wantsReconciliation = this.#wantsReconciliation(policy);
      if (!due.has(policy.id) && !this.#isTimeToAsk(policy, wantsReconciliation)) continue;
      const work = this.#serve(policy, wantsReconciliation).finally(() => this.#underWay.delete(policy.id));
      this.#underWay.set(policy.id, work);
    }
  }

  async #serve(policy: ReplicationPolicy, wantsReconciliation: boolean): Promise<void> {
    const { endpoints, executions, factory, logger, pending, policies } = this.#deps;
    const id = policy.destinationId ?? 0;
    try {
      const endpoint = await endpoints.get(id);
      try {
        const what = `the registry ${endpoint.name}`;
        await withDeadline(what, PING_TIMEOUT_MS, async (signal) => factory.ping(endpoint, signal), this.#ended.signal);
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        this.#asked.set(policy.id, { atMs: Date.now(), failures: (this.#asked.get(policy.id)?.failures ?? 0) + 1 });
        await endpoints.setStatus(id, 'unhealthy');
        await pending.unreachable(policy.id, describeError(error));
        await policies.forgetReconciliation(policy.id);
        return;
      }
      this.#asked.set(policy.id, { atMs: Date.now(), failures: 0 });
      await endpoints.setStatus(id, 'healthy');
      while ((await executions.startPending(policy)) > 0) this.#ended.signal.throwIfAborted();
      // Claimed first, so that of several processes one begins.
      if (wantsReconciliation && (await policies.claimReconciliation(policy)))
        await executions.start(policy, 'SCHEDULE');
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      logger.warn('Pending replication could not be started', { policy: policy.name, error: describeError(error) });
    }
  }

  /** One that is away is asked less and less often, one that is there now and then, so that it is noticed when it goes. */
  #isTimeToAsk(policy: ReplicationPolicy, wantsReconciliation: boolean): boolean {
    const { atMs, failures } = this.#asked.get(policy.id) ?? { atMs: 0, failures: 0 };
    const { firstRetryMs = FIRST_RETRY_MS, checkEveryMs = CHECK_EVERY_MS } = this.#deps;
    const awayMs = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 20), MAX_RETRY_MS);
    const pauseMs = failures > 0 ? awayMs : wantsReconciliation ? 0 : checkEveryMs;
    return Date.now() - atMs >= pauseMs;
  }

  #wantsReconciliation(policy: ReplicationPolicy): boolean {
    const everyMs = this.#deps.reconcileEveryMs ?? RECONCILE_EVERY_MS;
    return policy.reconciledAtMs === undefined || Date.now() - policy.reconciledAtMs >= everyMs;
  }
}
