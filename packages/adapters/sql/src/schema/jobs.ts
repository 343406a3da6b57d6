import type { Generated } from 'kysely';

/** The tables of `jobs`. */
export interface JobsTables {
  job_execution: JobExecutionTable;
  job: JobTable;
  job_log: JobLogTable;
  job_schedule: JobScheduleTable;
  job_pause: JobPauseTable;
  job_pool: JobPoolTable;
}

/** One run of something that consists of tasks. */
export interface JobExecutionTable {
  id: Generated<number>;
  vendor_type: string;
  vendor_id: number;
  trigger_kind: string;
  status: string;
  status_message: string;
  /** JSON. */
  attributes: string;
  started_at: number;
  ended_at: number | null;
  updated_at: number;
}

/** One job, which may be a task of an execution. */
export interface JobTable {
  id: Generated<number>;
  execution_id: number | null;
  kind: string;
  /** JSON. */
  payload: string;
  status: string;
  status_message: string;
  /** JSON, what the job tells of itself. */
  attributes: string;
  priority: number;
  /** Unique among the jobs that have not ended. */
  active_key: string | null;
  run_at: number;
  run_count: number;
  failures: number;
  /** 0: as the kind says. */
  max_failures: number;
  progress: number;
  lease_owner: string | null;
  lease_until: number;
  stop_requested: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  updated_at: number;
}

/** A line of a job's log. */
export interface JobLogTable {
  id: Generated<number>;
  job_id: number;
  at: number;
  level: string;
  message: string;
}

/** What is to be started at certain times. */
export interface JobScheduleTable {
  id: Generated<number>;
  vendor_type: string;
  vendor_id: number;
  /** `Hourly`, `Daily`, `Weekly`, `Custom`, `None`, or empty where there is no such choice. */
  cron_type: string;
  cron: string;
  /** JSON, given back when it fires. */
  attributes: string;
  next_run_at: number;
  created_at: number;
  updated_at: number;
}

/** A queue that was paused: the kind of a job, or `scheduler`. */
export interface JobPauseTable {
  kind: string;
  paused_at: number;
}

/** A process that runs jobs. */
export interface JobPoolTable {
  id: string;
  pid: number;
  host: string;
  concurrency: number;
  started_at: number;
  heartbeat_at: number;
}
