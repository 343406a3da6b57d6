import { VicError } from '@vic/errors';
import type {
  CronType,
  Execution,
  JobContext,
  JobKind,
  JobTrigger,
  JobVendor,
  Jobs,
  JsonObject,
  Schedule,
  Schedules,
} from '@vic/jobs';
import type { ListQuery, Page } from '@vic/rest';
import type { Executor } from '@vic/sql';

/** Something that is done for the whole installation, at most once at a time. */
export interface SystemTask {
  /** The word for it in executions, schedules and queues. */
  readonly vendorType: string;
  /** Makes what a client asks for complete, in the client's words; refuses what cannot be done. */
  complete(parameters: JsonObject): JsonObject;
  /** Does it; gives what the execution shows of it afterwards. */
  run(context: JobContext, parameters: JsonObject): Promise<JsonObject>;
}

/** What {@link SystemJob} is composed of. */
export interface SystemJobDeps {
  readonly jobs: Pick<
    Jobs,
    | 'findExecution'
    | 'listExecutions'
    | 'listTasks'
    | 'readLog'
    | 'setExecutionAttributes'
    | 'startExecution'
    | 'stopExecution'
  >;
  readonly schedules: Pick<Schedules, 'find' | 'remove' | 'set'>;
}

/** There is one schedule, of no policy. */
const NO_POLICY = 0;
const FIRST_TASK: ListQuery = { page: 1, pageSize: 1, filters: [], sort: [] };

/** Starts, schedules, lists and stops a {@link SystemTask}. */
export class SystemJob {
  readonly #deps: SystemJobDeps;
  readonly #task: SystemTask;

  constructor(deps: SystemJobDeps, task: SystemTask) {
    this.#deps = deps;
    this.#task = task;
  }

  get name(): string {
    return this.#task.vendorType;
  }

  /** How the runner runs it. */
  get kind(): JobKind {
    return {
      kind: this.#task.vendorType,
      concurrency: 1,
      run: async (context) => {
        const results = await this.#task.run(context, context.job.payload);
        const { executionId } = context.job;
        if (executionId !== undefined) await this.#deps.jobs.setExecutionAttributes(executionId, results);
        await context.setAttributes(results);
      },
    };
  }

  /** What jobs ask of the owner of its executions. */
  get vendor(): JobVendor {
    return {
      vendorType: this.#task.vendorType,
      onSchedule: async (schedule, transaction) => {
        await this.start(schedule.attributes, 'SCHEDULE', transaction).catch(unlessActive);
      },
    };
  }

  /** Starts it now; `Conflict` (`JOB_ACTIVE`) while it runs. Gives the id of the execution. */
  async start(parameters: JsonObject, trigger: JobTrigger = 'MANUAL', transaction?: Executor): Promise<number> {
    const payload = this.#task.complete(parameters);
    const { vendorType } = this.#task;
    return this.#deps.jobs.startExecution(
      {
        vendorType,
        vendorId: NO_POLICY,
        trigger,
        attributes: payload,
        tasks: [{ kind: vendorType, payload, activeKey: vendorType }],
      },
      transaction,
    );
  }

  /** Starts it again and again, in place of the times it had. */
  async schedule(cronType: CronType, cron: string, parameters: JsonObject): Promise<void> {
    const attributes = this.#task.complete(parameters);
    await this.#deps.schedules.set({ vendorType: this.name, vendorId: NO_POLICY, cronType, cron, attributes });
  }

  async unschedule(): Promise<void> {
    await this.#deps.schedules.remove(this.name, NO_POLICY);
  }

  async findSchedule(): Promise<Schedule | undefined> {
    return this.#deps.schedules.find(this.name, NO_POLICY);
  }

  async list(query: ListQuery): Promise<Page<Execution>> {
    return this.#deps.jobs.listExecutions({ vendorType: this.name }, query);
  }

  async get(id: number): Promise<Execution> {
    const execution = await this.#deps.jobs.findExecution(id, { vendorType: this.name });
    if (execution !== undefined) return execution;
    throw new VicError({
      class: 'NotFound',
      code: 'SYSTEM_JOB_NOT_FOUND',
      message: `${this.name} execution ${id} not found`,
    });
  }

  async log(id: number): Promise<string> {
    const { id: executionId } = await this.get(id);
    const { items } = await this.#deps.jobs.listTasks(executionId, FIRST_TASK);
    const [task] = items;
    return task === undefined ? '' : this.#deps.jobs.readLog(task.id);
  }

  async stop(id: number): Promise<void> {
    const { id: executionId } = await this.get(id);
    await this.#deps.jobs.stopExecution(executionId);
  }
}

/** A time that comes while it still runs is left out. */
function unlessActive(error: unknown): void {
  if (error instanceof VicError && error.code === 'JOB_ACTIVE') return;
  throw error;
}
