import { VicError } from '@vic/errors';
import type { EventConsumer } from '@vic/events';
import type { ProxySettings } from '@vic/http-client';
import type { JobKind, Jobs, JobVendor, Schedules } from '@vic/jobs';
import type { Logger } from '@vic/log';
import type { RestRoutes } from '@vic/rest';
import type { SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import { endpointDocument } from './endpoints/endpoint-document.ts';
import { registryRoutes } from './endpoints/registry-routes.ts';
import { RegistryEndpoints } from './endpoints/registry-endpoints.ts';
import { LocalArtifacts } from './peers/local-artifacts.ts';
import type { LocalPeerDeps } from './peers/local-peer.ts';
import { PeerFactory } from './peers/peer-factory.ts';
import { policyRoutes } from './policies/policy-routes.ts';
import { ReplicationPolicies } from './policies/replication-policies.ts';
import { PromotionApprovals } from './promotion/promotion-approvals.ts';
import { RequirementsGate } from './promotion/promotion-gate.ts';
import type { PromotionChecks } from './promotion/promotion-gate.ts';
import { executionRoutes } from './runs/execution-routes.ts';
import { PendingRunner } from './runs/pending-runner.ts';
import { PendingWork } from './runs/pending-work.ts';
import type { PolicyLag } from './runs/pending-work.ts';
import { ReplicationConsumer } from './runs/replication-consumer.ts';
import { REPLICATION_VENDOR, ReplicationExecutions } from './runs/replication-executions.ts';
import { ReplicationPeers } from './runs/replication-peers.ts';
import { replicationTask } from './runs/replication-task.ts';

/** What replication is composed of. */
export interface ReplicationDeps extends Omit<LocalPeerDeps, 'artifacts'> {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  readonly logger: Logger;
  /** What promotion can be made to depend on. */
  readonly checks?: PromotionChecks;
}

/** How replication behaves. */
export interface ReplicationOptions {
  /** How this registry names itself in what it pushes: the host (with its port) of its external URL. */
  readonly selfName: string;
  readonly proxy?: ProxySettings;
  /** How often work that became due by itself is looked for; 2 s when absent. */
  readonly pollMs?: number;
  /** Pause before a destination that is away is asked again, doubling up to 5 min; 2 s when absent. */
  readonly firstRetryMs?: number;
  /** How often event-based policies compare both sides in full; 6 h when absent. */
  readonly reconcileEveryMs?: number;
  /** How often destinations that nothing is to be brought to are asked whether they are there; 1 min when absent. */
  readonly checkEveryMs?: number;
  /** A transfer that brings nothing for this long is broken off and resumed; 1 min when absent. */
  readonly stallTimeoutMs?: number;
}

/**
 * Replication between this registry and others.
 *
 * The program registers {@link jobKinds} and {@link vendor} with the job runner, {@link consumer} with the event
 * consumers and {@link routes} with the REST API, then calls {@link start}.
 */
export class Replication implements AsyncDisposable {
  readonly endpoints: RegistryEndpoints;
  readonly factory: PeerFactory;
  readonly consumer: EventConsumer;
  readonly jobKinds: readonly JobKind[];
  readonly vendor: JobVendor;
  readonly routes: RestRoutes;
  readonly #pending: PendingWork;
  readonly #policies: ReplicationPolicies;
  readonly #runner: PendingRunner;

  constructor(deps: ReplicationDeps, options: ReplicationOptions) {
    const { database, secrets, jobs, schedules, logger } = deps;
    this.endpoints = new RegistryEndpoints({ database, secrets });
    this.factory = new PeerFactory(options);
    const { endpoints, factory } = this;
    const artifacts = new LocalArtifacts(database);
    const approvals = new PromotionApprovals(database);
    const gate = new RequirementsGate({ checks: deps.checks ?? {}, artifacts, approvals });
    const policies = new ReplicationPolicies({ database });
    const pending = new PendingWork(database, { firstRetryMs: options.firstRetryMs });
    const local = { ...deps, artifacts };
    const peers = new ReplicationPeers({ endpoints, factory, local });
    const executions = new ReplicationExecutions({ database, jobs, policies, peers, pending });
    const { pollMs, reconcileEveryMs } = options;
    const runner = new PendingRunner({
      policies,
      endpoints,
      factory,
      pending,
      executions,
      logger,
      pollMs,
      reconcileEveryMs,
      firstRetryMs: options.firstRetryMs,
      checkEveryMs: options.checkEveryMs,
    });
    const wake = (): void => runner.wake();
    const { repositories } = deps;
    this.consumer = new ReplicationConsumer({ policies, endpoints, artifacts, pending, wake });
    const task = replicationTask({ database, policies, peers, pending, gate, repositories, wake });
    this.jobKinds = [task, executions.planKind()];
    this.vendor = executions.vendor();
    const aboutRegistries = registryRoutes({ endpoints, factory });
    const vendorType = REPLICATION_VENDOR;
    const shared = { database, policies, endpoints, pending, approvals, artifacts, gate, repositories };
    const aboutPolicies = policyRoutes({ ...shared, jobs, schedules, vendorType, wake });
    const aboutExecutions = executionRoutes({ jobs, policies, executions });
    this.routes = (app) => {
      aboutRegistries(app);
      aboutPolicies(app);
      aboutExecutions(app);
    };
    this.#pending = pending;
    this.#policies = policies;
    this.#runner = runner;
  }

  /** Begins to follow events; job runners and event consumers are started by the program. */
  start(): void {
    this.#runner.start();
  }

  /** How far destinations are behind, by policy; for metrics. */
  async lag(): Promise<readonly (PolicyLag & { readonly policy: string })[]> {
    const lags = await this.#pending.lag();
    const policies = await this.#policies.eventBased();
    return policies.map(({ id, name }) => {
      const none = { policyId: id, pending: 0, held: 0, refused: 0, ageMs: 0, lastError: '' };
      return { ...(lags.get(id) ?? none), policy: name };
    });
  }

  /** Throws `InvalidArgument` unless there is such an endpoint, which a proxy-cache project can stand for. */
  async check(registryId: number): Promise<void> {
    if ((await this.endpoints.find(registryId)) !== undefined) return;
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_NOT_FOUND',
      message: `registry ${registryId} not found`,
    });
  }

  /** The endpoint of a proxy-cache project as the REST API shows it. */
  async describe(registryId: number): Promise<Readonly<Record<string, unknown>> | undefined> {
    const endpoint = await this.endpoints.find(registryId);
    return endpoint === undefined ? undefined : endpointDocument(endpoint);
  }

  /** Stops following events. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
  }
}
