import { VicError } from '@vic/errors';
import type { Execution, Job, JobTrigger, JobVendor, Jobs, Schedules } from '@vic/jobs';
import { type Database, type Executor, isUniqueViolation, type ListRequest, type ListPage } from '@vic/sql';
import type { RegistryEvent } from '@vic/registry-api';
import { rulesFor } from './evaluate-retention.ts';
import {
  type RetentionPolicy,
  type RetentionPolicyInput,
  type RetentionRule,
  checkRetentionPolicy,
} from './retention-policy.ts';

/** The word for retention in executions, schedules and queues. */
export const RETENTION = 'RETENTION';

/** What {@link Retention} is composed of. */
export interface RetentionDeps {
  readonly database: Database;
  readonly jobs: Pick<
    Jobs,
    | 'findExecution'
    | 'findJob'
    | 'listExecutions'
    | 'listTasks'
    | 'readLog'
    | 'removeExecutions'
    | 'startExecution'
    | 'stopExecution'
  >;
  readonly schedules: Pick<Schedules, 'remove' | 'set'>;
  /** Writes the policy's id in its project's metadata; `undefined` takes it away. */
  tieToProject(transaction: Executor, projectId: number, policyId: number | undefined): Promise<void>;
  /** Writes an event in the transaction of the change it tells of. */
  appendEvent(transaction: Executor, event: RegistryEvent): Promise<unknown>;
  readonly now?: () => number;
}

/** What projects keep: policies, and what their executions did. */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #now: () => number;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** What jobs ask of the owner of retention executions. */
  get vendor(): JobVendor {
    return {
      vendorType: RETENTION,
      onSchedule: async (schedule, transaction) => {
        const policy = await this.find(schedule.vendorId, transaction);
        if (policy !== undefined) await this.#start(policy, { trigger: 'SCHEDULE', dryRun: false }, transaction);
      },
      onExecutionEnded: async (execution, transaction) => this.#tellEnded(execution, transaction),
    };
  }

  async find(id: number, executor: Executor = this.#deps.database.db): Promise<RetentionPolicy | undefined> {
    const row = await executor.selectFrom('retention_policies').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return undefined;
    const rules = JSON.parse(row.rules) as readonly RetentionRule[];
    return { id: row.id, projectId: row.project_id, rules, cron: row.cron };
  }

  /** Makes the policy of a project that has none; gives its id. */
  async create(input: RetentionPolicyInput): Promise<number> {
    checkRetentionPolicy(input);
    const projectId = input.scope.ref;
    try {
      return await this.#deps.database.transaction(async (transaction) => {
        const existing = await transaction
          .selectFrom('retention_policies')
          .select('id')
          .where('project_id', '=', projectId)
          .executeTakeFirst();
        if (existing !== undefined) throw alreadyHasPolicy(projectId, existing.id);
        const now = this.#now();
        const { id } = await transaction
          .insertInto('retention_policies')
          .values({ project_id: projectId, ...columnsOf(input), created_at_ms: now, updated_at_ms: now })
          .returning('id')
          .executeTakeFirstOrThrow();
        await this.#deps.tieToProject(transaction, projectId, id);
        await this.#schedule(id, input.trigger.settings.cron, transaction);
        return id;
      });
    } catch (error) {
      throw isUniqueViolation(error) ? alreadyHasPolicy(projectId, '') : error;
    }
  }

  /** Replaces a policy; it stays that of its project. */
  async update(policy: RetentionPolicy, input: RetentionPolicyInput): Promise<void> {
    checkRetentionPolicy(input);
    await this.#deps.database.transaction(async (transaction) => {
      await transaction
        .updateTable('retention_policies')
        .set({ ...columnsOf(input), updated_at_ms: this.#now() })
        .where('id', '=', policy.id)
        .execute();
      await this.#schedule(policy.id, input.trigger.settings.cron, transaction);
    });
  }

  /** Removes a policy with what is known of its executions. */
  async remove(policy: RetentionPolicy): Promise<void> {
    await this.#deps.database.transaction(async (transaction) => {
      await this.#deps.tieToProject(transaction, policy.projectId, undefined);
      await this.#forget(policy.id, transaction);
    });
  }

  /** Part of the deletion of a project. */
  async removeOfProject(transaction: Executor, projectId: number): Promise<void> {
    const row = await transaction
      .selectFrom('retention_policies')
      .select('id')
      .where('project_id', '=', projectId)
      .executeTakeFirst();
    if (row !== undefined) await this.#forget(row.id, transaction);
  }

  /** Runs the policy now; a dry run changes nothing and only says what it would do. Gives the execution's id. */
  async execute(policy: RetentionPolicy, dryRun: boolean): Promise<number> {
    return this.#deps.database.transaction(async (transaction) =>
      this.#start(policy, { trigger: 'MANUAL', dryRun }, transaction),
    );
  }

  async executions(policy: RetentionPolicy, query: ListRequest): Promise<ListPage<Execution>> {
    return this.#deps.jobs.listExecutions({ vendorType: RETENTION, vendorId: policy.id }, query);
  }

  /** The execution of this policy with that id. */
  async execution(policy: RetentionPolicy, id: number): Promise<Execution> {
    const execution = await this.#deps.jobs.findExecution(id, { vendorType: RETENTION, vendorId: policy.id });
    if (execution !== undefined) return execution;
    throw notFound(`execution ${id} of retention policy ${policy.id} not found`);
  }

  async stop(execution: Execution): Promise<void> {
    await this.#deps.jobs.stopExecution(execution.id);
  }

  async tasks(execution: Execution, query: ListRequest): Promise<ListPage<Job>> {
    return this.#deps.jobs.listTasks(execution.id, query);
  }

  /** The log of a task: each artifact and what became of it. */
  async taskLog(execution: Execution, taskId: number): Promise<string> {
    const task = await this.#deps.jobs.findJob(taskId, execution.id);
    if (task === undefined) throw notFound(`task ${taskId} of execution ${execution.id} not found`);
    return this.#deps.jobs.readLog(task.id);
  }

  async #schedule(id: number, cron: string, transaction: Executor): Promise<void> {
    if (cron === '') return this.#deps.schedules.remove(RETENTION, id, transaction);
    await this.#deps.schedules.set({ vendorType: RETENTION, vendorId: id, cronType: 'Custom', cron }, transaction);
  }

  async #forget(id: number, transaction: Executor): Promise<void> {
    await this.#deps.schedules.remove(RETENTION, id, transaction);
    await this.#deps.jobs.removeExecutions({ vendorType: RETENTION, vendorId: id }, transaction);
    await transaction.deleteFrom('retention_policies').where('id', '=', id).execute();
  }

  /** One task for each repository that a rule is about; the others are left alone. */
  async #start(
    policy: RetentionPolicy,
    how: { readonly trigger: JobTrigger; readonly dryRun: boolean },
    transaction: Executor,
  ): Promise<number> {
    const repositories = await transaction
      .selectFrom('repositories')
      .select(['id', 'name'])
      .where('project_id', '=', policy.projectId)
      .where('listed', '=', 1)
      .orderBy('name')
      .execute();
    const tasks = repositories.flatMap(({ id, name }) => {
      const withoutProject = name.slice(name.indexOf('/') + 1);
      const rules = rulesFor(policy.rules, withoutProject);
      if (rules.length === 0) return [];
      const payload = { projectId: policy.projectId, repositoryId: id, repository: name, rules, dryRun: how.dryRun };
      return [{ kind: RETENTION, payload, attributes: { repository: withoutProject, total: 0, retained: 0 } }];
    });
    return this.#deps.jobs.startExecution(
      {
        vendorType: RETENTION,
        vendorId: policy.id,
        trigger: how.trigger,
        attributes: { dry_run: how.dryRun },
        tasks,
        ...(tasks.length === 0 ? { statusMessage: 'no resources for retention' } : {}),
      },
      transaction,
    );
  }

  async #tellEnded(execution: Execution, transaction: Executor): Promise<void> {
    if (execution.attributes['dry_run'] === true) return;
    const project = await transaction
      .selectFrom('retention_policies')
      .innerJoin('projects', 'projects.id', 'retention_policies.project_id')
      .select(['projects.id', 'projects.name'])
      .where('retention_policies.id', '=', execution.vendorId)
      .executeTakeFirst();
    if (project === undefined) return;
    const { Success: succeeded, total } = execution.tasks;
    await this.#deps.appendEvent(transaction, {
      type: 'retention.finished',
      projectId: project.id,
      projectName: project.name,
      operator: 'retention',
      policyId: execution.vendorId,
      executionId: execution.id,
      succeeded,
      failed: total - succeeded,
      summary: `Retention went through ${succeeded} of ${total} repositories of ${project.name}.`,
    });
  }
}

function columnsOf({ rules, trigger }: RetentionPolicyInput): { rules: string; cron: string } {
  const numbered = rules.map((rule, index) => ({ ...rule, id: index }));
  return { rules: JSON.stringify(numbered), cron: trigger.settings.cron };
}

function alreadyHasPolicy(projectId: number, policyId: number | string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'RETENTION_POLICY_EXISTS',
    message: `project ${projectId} already has retention policy ${policyId}`.trimEnd(),
  });
}

function notFound(message: string): VicError {
  return new VicError({ class: 'NotFound', code: 'RETENTION_NOT_FOUND', message });
}
