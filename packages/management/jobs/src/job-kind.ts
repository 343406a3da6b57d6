import type { Transaction, Schema } from '@vic/sql';
import type { Execution, Job, JsonObject } from './job-model.ts';
import type { Schedule } from './schedule.ts';

/** How one kind of job is run. */
export interface JobKind {
  /** As in Harbor's queues where there is one: `REPLICATION`, `GARBAGE_COLLECTION` … */
  readonly kind: string;
  /** How many of it one process runs at a time; as many as there is room for when absent. */
  readonly concurrency?: number;
  /** How often one may fail before it has failed for good; once when absent. */
  readonly maxFailures?: number;
  /** The pause after the first failure, doubling with each up to an hour; 10 s when absent. */
  readonly retryMs?: number;
  /** A run that takes longer is ended and has failed; no limit when absent. */
  readonly timeoutMs?: number;
  /**
   * Does the work; what it throws is its failure. A run may be cut off at any point by the end of its process
   * and is then begun again, so it must not harm to have been begun before.
   */
  run(context: JobContext): Promise<void>;
}

/** What a run gets to work with. */
export interface JobContext {
  readonly job: Job;
  /** Fires when the job is to stop, its time is up or the program ends; a run ends soon after. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** Tells how far it is, in per cent, and in words; cheap enough to be called for every item. */
  readonly progress: (percent: number, message?: string) => void;
  /** Changes what the REST API shows of the task; the other attributes stay. */
  readonly setAttributes: (attributes: JsonObject) => Promise<void>;
}

/** The log of a job: lines that the REST API gives back. */
export interface JobLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** The owner of executions: what it does when a schedule fires, and when an execution has ended. */
export interface JobVendor {
  readonly vendorType: string;
  /** Called once for each time of a schedule, over all processes; starts what is due, in the transaction. */
  onSchedule?(schedule: Schedule, transaction: Transaction<Schema>): Promise<void>;
  /** Called once, in the transaction that ends the execution. */
  onExecutionEnded?(execution: Execution, transaction: Transaction<Schema>): Promise<void>;
  /** How many ended executions are kept for each vendor id; 50 when absent. */
  readonly keepExecutions?: number;
}
