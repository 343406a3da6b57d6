import type { Execution, Job } from './job-model.ts';
import type { Schedule } from './schedule.ts';

/** An execution in the form of Harbor's REST API. */
export function executionBody(execution: Execution): Readonly<Record<string, unknown>> {
  const { tasks } = execution;
  return {
    id: execution.id,
    vendor_type: execution.vendorType,
    vendor_id: execution.vendorId,
    status: execution.status,
    status_message: execution.statusMessage,
    trigger: execution.trigger,
    extra_attrs: execution.attributes,
    start_time: timeText(execution.startedAtMs),
    ...ended(execution.endedAtMs),
    metrics: {
      task_count: tasks.total,
      success_task_count: tasks.Success,
      error_task_count: tasks.Error,
      pending_task_count: tasks.Pending,
      running_task_count: tasks.Running,
      scheduled_task_count: 0,
      stopped_task_count: tasks.Stopped,
    },
  };
}

/** A task in the form of Harbor's REST API. */
export function taskBody(task: Job): Readonly<Record<string, unknown>> {
  return {
    id: task.id,
    execution_id: task.executionId ?? 0,
    status: task.status,
    status_message: task.statusMessage,
    run_count: task.runCount,
    extra_attrs: task.attributes,
    creation_time: timeText(task.createdAtMs),
    update_time: timeText(task.updatedAtMs),
    ...(task.startedAtMs === undefined ? {} : { start_time: timeText(task.startedAtMs) }),
    ...ended(task.endedAtMs),
  };
}

/** An execution as an entry of the history of a system job: garbage collection, purge of the audit log. */
export function historyBody(execution: Execution): Readonly<Record<string, unknown>> {
  return {
    id: execution.id,
    job_name: execution.vendorType,
    job_kind: execution.trigger,
    job_parameters: JSON.stringify(execution.attributes),
    schedule: { type: execution.trigger },
    job_status: execution.status,
    deleted: false,
    creation_time: timeText(execution.startedAtMs),
    update_time: timeText(execution.updatedAtMs),
  };
}

/** The schedule of a system job; an empty object when it has none. */
export function scheduleBody(schedule: Schedule | undefined): Readonly<Record<string, unknown>> {
  if (schedule === undefined) return {};
  return {
    id: schedule.id,
    job_name: schedule.vendorType,
    job_kind: 'SCHEDULE',
    job_parameters: JSON.stringify(schedule.attributes),
    schedule: {
      type: schedule.cronType,
      cron: schedule.cron,
      next_scheduled_time: timeText(schedule.nextRunAtMs),
    },
    deleted: false,
    creation_time: timeText(schedule.createdAtMs),
    update_time: timeText(schedule.updatedAtMs),
  };
}

/** A moment as Harbor's API writes it. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

function ended(endedAtMs: number | undefined): { readonly end_time?: string } {
  return endedAtMs === undefined ? {} : { end_time: timeText(endedAtMs) };
}
