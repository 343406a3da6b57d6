export { Jobs } from './jobs.ts';
export type { ExecutionOwner } from './jobs.ts';
export { isFinal } from './job-model.ts';
export type { Execution, Job, JobStatus, JobTrigger, JsonObject, NewExecution, NewJob } from './job-model.ts';
export type { JobContext, JobKind, JobLog, JobVendor } from './job-kind.ts';
export { Schedules } from './schedules.ts';
export type { CronType, NewSchedule, Schedule } from './schedule.ts';
export { nextRun, validateCron } from './cron.ts';
