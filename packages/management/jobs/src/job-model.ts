/** Where a job, or an execution, is in its life; the last three are final. */
export type JobStatus = 'Pending' | 'Running' | 'Success' | 'Error' | 'Stopped';

/** What caused an execution. */
export type JobTrigger = 'MANUAL' | 'SCHEDULE' | 'EVENT';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A job to be run once. */
export interface NewJob {
  /** The kind that runs it. */
  readonly kind: string;
  readonly payload: JsonObject;
  /** What the REST API shows of it from the beginning. */
  readonly attributes?: JsonObject;
  /** Higher ones run first; 0 when absent. */
  readonly priority?: number;
  /** At most one job with this key is waiting or running at a time. */
  readonly activeKey?: string;
  readonly runAtMs?: number;
  /** How often it may fail before it has failed for good; as its kind says when absent. */
  readonly maxFailures?: number;
}

/** A job as it is now. */
export interface Job {
  readonly id: number;
  readonly executionId: number | undefined;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly status: JobStatus;
  readonly statusMessage: string;
  readonly attributes: JsonObject;
  /** 0 to 100. */
  readonly progress: number;
  readonly runCount: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly updatedAtMs: number;
}

/** Something to be done that consists of tasks; it ends with the last of them. */
export interface NewExecution {
  /** The owner's word for what it does, as in Harbor: `REPLICATION`, `RETENTION`, `GARBAGE_COLLECTION` … */
  readonly vendorType: string;
  /** The id of the policy, or 0. */
  readonly vendorId: number;
  readonly trigger: JobTrigger;
  readonly attributes?: JsonObject;
  /** A task may add more while it runs. None at all is a success. */
  readonly tasks: readonly NewJob[];
  readonly statusMessage?: string;
}

/** An execution as it is now. */
export interface Execution {
  readonly id: number;
  readonly vendorType: string;
  readonly vendorId: number;
  readonly trigger: JobTrigger;
  readonly status: JobStatus;
  readonly statusMessage: string;
  readonly attributes: JsonObject;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  readonly updatedAtMs: number;
  /** How many tasks are in each state. */
  readonly tasks: Readonly<Record<JobStatus, number>> & { readonly total: number };
}

/** Whether nothing will change any more. */
export function isFinal(status: JobStatus): boolean {
  return status !== 'Pending' && status !== 'Running';
}
