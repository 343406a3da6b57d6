import type { Resource } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { JobContext, JobKind, JobTrigger, JobVendor, Jobs, JsonObject, Schedules, SystemJob } from '@vic/jobs';
import type { Executor } from '@vic/sql';

/** Something that is done for the whole installation, at most once at a time. */
export interface SystemTask {
  /** Where its REST API is. */
  readonly path: string;
  /** The word for it in messages. */
  readonly name: string;
  /** The word for it in executions, schedules and queues. */
  readonly vendorType: string;
  /** Makes what a client asks for complete, in the client's words; refuses what cannot be done. */
  complete(parameters: JsonObject): JsonObject;
  /** Does it; gives what the execution shows of it afterwards. */
  run(context: JobContext, parameters: JsonObject): Promise<JsonObject>;
}

/** What {@link CollectorJob} is composed of. */
export interface CollectorJobDeps {
  readonly jobs: Jobs;
  readonly schedules: Schedules;
}

/** There is one schedule, of no policy. */
const NO_POLICY = 0;

/** A {@link SystemTask} as a job that is started by hand, by the command line or by its schedule. */
export class CollectorJob implements SystemJob {
  readonly resource: Resource = 'garbage-collection';
  readonly #deps: CollectorJobDeps;
  readonly #task: SystemTask;

  constructor(deps: CollectorJobDeps, task: SystemTask) {
    this.#deps = deps;
    this.#task = task;
  }

  get path(): string {
    return this.#task.path;
  }

  get name(): string {
    return this.#task.name;
  }

  get vendorType(): string {
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

  parse(parameters: JsonObject): JsonObject {
    return this.#task.complete(parameters);
  }
}

/** A time that comes while it still runs is left out. */
function unlessActive(error: unknown): void {
  if (error instanceof VicError && error.code === 'JOB_ACTIVE') return;
  throw error;
}
