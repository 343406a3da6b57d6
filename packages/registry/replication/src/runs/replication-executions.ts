import { isVicError } from '@vic/errors';
import type { Execution, JobContext, JobKind, Jobs, JobTrigger, JobVendor, NewJob, Schedule } from '@vic/jobs';
import type { Database, Executor, Schema, Transaction } from '@vic/sql';
import { ArtifactFilter } from '../policies/artifact-filter.ts';
import { destinationName } from '../policies/destination-name.ts';
import type { ReplicationPolicies } from '../policies/replication-policies.ts';
import type { ReplicationPolicy } from '../policies/replication-policy.ts';
import type { PendingItem, PendingWork } from './pending-work.ts';
import type { ReplicationPeers } from './replication-peers.ts';
import { REPLICATION_KIND } from './replication-task.ts';
import type { TaskPayload } from './replication-task.ts';
import { tellFinished } from './tell-finished.ts';

/** What executions are made with. */
export interface ExecutionsDeps {
  readonly database: Database;
  readonly jobs: Jobs;
  readonly policies: ReplicationPolicies;
  readonly peers: ReplicationPeers;
  readonly pending: PendingWork;
}

/** The owner of executions, by Harbor's name. */
export const REPLICATION_VENDOR = 'REPLICATION';
/** The queue of the jobs that find out which repositories an execution is about. */
const PLAN_KIND = 'REPLICATION_PLAN';

const PLAN_TRIES = 3;
const TASKS_PER_BATCH = 200;
/** References of one task of pending work. */
const REFERENCES_PER_TASK = 200;
const CLAIMED_AT_ONCE = 1000;
const SKIPPED = 'Execution skipped: active replication still in progress.';

/** Begins executions of policies: in full, or of the work that events have left. */
export class ReplicationExecutions {
  readonly #deps: ExecutionsDeps;

  constructor(deps: ExecutionsDeps) {
    this.#deps = deps;
  }

  /** Begins to compare and copy everything a policy is about; gives the execution's id. */
  async start(policy: ReplicationPolicy, trigger: JobTrigger, transaction?: Executor): Promise<number> {
    const { jobs } = this.#deps;
    const begun = { vendorType: REPLICATION_VENDOR, vendorId: policy.id, trigger };
    if (policy.singleActive && (await this.#isActive(policy.id, transaction))) {
      return jobs.startExecution({ ...begun, tasks: [], statusMessage: SKIPPED }, transaction);
    }
    const plan: NewJob = { kind: PLAN_KIND, payload: { policyId: policy.id } };
    return jobs.startExecution({ ...begun, attributes: { plan: 'pending' }, tasks: [plan] }, transaction);
  }

  /** Hands what is due of a policy to tasks; gives how many references that are. */
  async startPending(policy: ReplicationPolicy): Promise<number> {
    const { database, jobs, pending } = this.#deps;
    return database.transaction(async (transaction) => {
      const items = await pending.claim(policy.id, CLAIMED_AT_ONCE, transaction);
      if (items.length === 0) return 0;
      const tasks = pendingTasks(policy, items);
      const begun = { vendorType: REPLICATION_VENDOR, vendorId: policy.id, trigger: 'EVENT' } as const;
      await jobs.startExecution({ ...begun, tasks }, transaction);
      return items.length;
    });
  }

  /** The job that finds the repositories of a full execution and adds a task for each. */
  planKind(): JobKind {
    return { kind: PLAN_KIND, maxFailures: PLAN_TRIES, retryMs: 5_000, run: async (context) => this.#plan(context) };
  }

  /** The schedules and the ends of executions. */
  vendor(): JobVendor {
    return {
      vendorType: REPLICATION_VENDOR,
      onSchedule: async (schedule, transaction) => this.#onSchedule(schedule, transaction),
      onExecutionEnded: async (execution, transaction) => this.#onEnded(execution, transaction),
    };
  }

  async #plan(context: JobContext): Promise<void> {
    const { jobs, policies, peers, pending } = this.#deps;
    const executionId = context.job.executionId ?? 0;
    const policy = await policies.get(Number(context.job.payload['policyId']));
    const filter = new ArtifactFilter(policy.filters);
    await using ends = await peers.open(policy);
    const { items } = await jobs.listTasks(executionId, ALL_TASKS, REPLICATION_KIND);
    // A plan that was cut off begins again; what it had added stays.
    const planned = new Set(items.map((task) => String(task.payload['repository'])));
    const refused = await pending.refusedOf(policy.id);
    let batch: NewJob[] = [];
    for await (const repository of ends.source.listRepositories(filter.namePattern, context.signal)) {
      if (planned.has(repository) || !filter.acceptsRepository(repository)) continue;
      planned.add(repository);
      batch.push(taskOf(policy, { policyId: policy.id, repository }));
      if (batch.length < TASKS_PER_BATCH) continue;
      await jobs.addTasks(executionId, batch);
      batch = [];
    }
    if (batch.length > 0) await jobs.addTasks(executionId, batch);
    await pending.forgetRefused(refused.filter(({ repository }) => !planned.has(repository)));
    await jobs.setExecutionAttributes(executionId, { plan: 'done' });
    context.log.info(`${planned.size} repositories are to be compared.`);
  }

  async #onSchedule(schedule: Schedule, transaction: Transaction<Schema>): Promise<void> {
    try {
      const policy = await this.#deps.policies.get(schedule.vendorId);
      if (policy.enabled) await this.start(policy, 'SCHEDULE', transaction);
    } catch (error) {
      // The policy was deleted a moment ago; its schedule goes with it.
      if (!isVicError(error, { class: 'NotFound' })) throw error;
    }
  }

  async #onEnded(execution: Execution, transaction: Transaction<Schema>): Promise<void> {
    if (execution.status === 'Success' && execution.attributes['plan'] === 'done') {
      await this.#deps.policies.markReconciled(execution.vendorId, transaction);
    }
    await tellFinished(execution, transaction);
  }

  async #isActive(policyId: number, executor: Executor = this.#deps.database.db): Promise<boolean> {
    const row = await executor
      .selectFrom('job_execution')
      .select('id')
      .where('vendor_type', '=', REPLICATION_VENDOR)
      .where('vendor_id', '=', policyId)
      .where('status', '=', 'Running')
      .executeTakeFirst();
    return row !== undefined;
  }
}

const ALL_TASKS = { page: 1, pageSize: 1_000_000, filters: [], sort: [] };

function pendingTasks(policy: ReplicationPolicy, items: readonly PendingItem[]): NewJob[] {
  const byRepository = Map.groupBy(items, ({ repository }) => repository);
  return [...byRepository].flatMap(([repository, ofRepository]) => {
    const references = ofRepository.map(({ reference }) => reference);
    const tasks: NewJob[] = [];
    for (let at = 0; at < references.length; at += REFERENCES_PER_TASK) {
      const some = references.slice(at, at + REFERENCES_PER_TASK);
      tasks.push(taskOf(policy, { policyId: policy.id, repository, references: some }, ofRepository));
    }
    return tasks;
  });
}

function taskOf(policy: ReplicationPolicy, payload: TaskPayload, items: readonly PendingItem[] = []): NewJob {
  const onlyDeletes = items.length > 0 && items.every(({ operation }) => operation === 'delete');
  const names = payload.references ?? [];
  const suffix =
    names.length === 0
      ? ''
      : ` [${names.slice(0, MAX_NAMES_SHOWN).join(', ')}${names.length > MAX_NAMES_SHOWN ? ', …' : ''}]`;
  return {
    kind: REPLICATION_KIND,
    payload: { ...payload },
    attributes: {
      operation: onlyDeletes ? 'deletion' : 'copy',
      resource_type: 'artifact',
      src_resource: payload.repository + suffix,
      dst_resource: nameThere(policy, payload.repository) + suffix,
    },
  };
}

const MAX_NAMES_SHOWN = 10;

/** A name that cannot be made fails the repository's own task, not the others. */
function nameThere(policy: ReplicationPolicy, repository: string): string {
  try {
    return destinationName(repository, policy.destinationNamespace, policy.replaceCount);
  } catch {
    return '';
  }
}
