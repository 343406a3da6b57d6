import type { JsonObject } from './job-model.ts';

/** How the user chose the times of a schedule. */
export type CronType = 'Hourly' | 'Daily' | 'Weekly' | 'Custom' | 'Schedule';

/** When to begin something, again and again. */
export interface NewSchedule {
  readonly vendorType: string;
  /** The id of the policy, or 0; there is one schedule for each. */
  readonly vendorId: number;
  readonly cronType: CronType;
  /** Six fields, from seconds to days of the week, in UTC. */
  readonly cron: string;
  /** Given back when it fires. */
  readonly attributes?: JsonObject;
}

/** A schedule as it is now. */
export interface Schedule extends Required<NewSchedule> {
  readonly id: number;
  readonly nextRunAtMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
