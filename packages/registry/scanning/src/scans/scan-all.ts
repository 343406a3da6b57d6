import { VicError, describeError } from '@vic/errors';
import {
  type Execution,
  type JobKind,
  type JobStatus,
  type JobTrigger,
  type JobVendor,
  type Schedule,
  isFinal,
} from '@vic/jobs';
import type { ScanReports } from '../reports/scan-reports.ts';
import { isDatabaseAway } from '../database-away.ts';
import type { ScanningDeps } from '../scanning-deps.ts';
import { listImages } from './scan-subject.ts';
import { IMAGE_SCAN, type Scans } from './scans.ts';

/** The kind of the job that goes through all images, and the vendor of its executions. */
export const SCAN_ALL = 'SCAN_ALL';

const BATCH = 100;
const ONE = { page: 1, pageSize: 1, sort: [], filters: [] } as const;
const STATUSES: readonly JobStatus[] = ['Pending', 'Running', 'Success', 'Error', 'Stopped'];

/** How far the latest scan of everything is. */
export interface ScanAllProgress {
  readonly execution: Execution;
  /** Scans by state; the enumeration itself does not count. */
  readonly counts: Readonly<Record<JobStatus, number>>;
}

/** Scans of everything: by hand, or at certain times. */
export class ScanAll {
  readonly #deps: Pick<ScanningDeps, 'database' | 'jobs' | 'schedules'>;

  constructor(deps: Pick<ScanningDeps, 'database' | 'jobs' | 'schedules'>) {
    this.#deps = deps;
  }

  /** Begins one; only one may be under way. */
  async start(trigger: JobTrigger): Promise<number> {
    const running = await this.latest('MANUAL');
    if (trigger === 'MANUAL' && running !== undefined && !isFinal(running.execution.status)) {
      throw new VicError({
        class: 'Conflict',
        code: 'SCAN_ALL_RUNNING',
        message: `a previous scan all job aleady exits, its status is ${running.execution.status}`,
      });
    }
    return this.#deps.jobs.startExecution(executionOf(trigger));
  }

  /** Ends the one under way. */
  async stop(): Promise<void> {
    const latest = await this.latest();
    if (latest === undefined) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'SCAN_ALL_NONE',
        message: 'no scan all job is found currently',
      });
    }
    await this.#deps.jobs.stopExecution(latest.execution.id);
  }

  /** The latest one, or the latest that was begun that way. */
  async latest(trigger?: JobTrigger): Promise<ScanAllProgress | undefined> {
    const filters = trigger === undefined ? [] : [{ kind: 'equal', field: 'trigger', value: trigger } as const];
    const { items } = await this.#deps.jobs.listExecutions({ vendorType: SCAN_ALL }, { ...ONE, filters });
    const [execution] = items;
    if (execution === undefined) return undefined;
    const counts = await Promise.all(
      STATUSES.map(async (status) => {
        const request = { ...ONE, filters: [{ kind: 'equal', field: 'status', value: status } as const] };
        const page = await this.#deps.jobs.listTasks(execution.id, request, IMAGE_SCAN);
        return [status, page.total] as const;
      }),
    );
    return { execution, counts: Object.fromEntries(counts) as Record<JobStatus, number> };
  }

  /** When everything is scanned by itself. */
  async schedule(): Promise<Schedule | undefined> {
    return this.#deps.schedules.find(SCAN_ALL, 0);
  }
}

/** The job that queues the scan of every image, as tasks of its own execution. */
export function scanAllJob(deps: Pick<ScanningDeps, 'database'>, scans: Scans): JobKind {
  return {
    kind: SCAN_ALL,
    run: async (context) => {
      const { job, signal, log } = context;
      if (job.executionId === undefined) return;
      let [queued, skipped] = [0, 0];
      let afterId = 0;
      for (;;) {
        const images = await listImages(deps.database.db, afterId, BATCH);
        for (const image of images) {
          signal.throwIfAborted();
          try {
            await scans.request(image, {
              scanType: 'vulnerability',
              operator: 'scan all',
              executionId: job.executionId,
            });
            queued++;
          } catch (error) {
            if (isDatabaseAway(error)) throw error;
            // One that is being scanned, or cannot be, does not hold up the others.
            skipped++;
            log.info(`${image.repository}@${image.digest} is not queued: ${describeError(error)}`);
          }
        }
        afterId = images.at(-1)?.id ?? afterId;
        context.progress(0, `${queued} images queued`);
        if (images.length < BATCH) break;
      }
      log.info(`${queued} images queued, ${skipped} left out.`);
    },
  };
}

/** Starts scheduled scans of everything, and ends the reports of scans that were stopped before they began. */
export function scanAllVendor(
  deps: Pick<ScanningDeps, 'jobs'>,
  parts: { readonly scans: Scans; readonly reports: ScanReports },
): JobVendor {
  return {
    vendorType: SCAN_ALL,
    onSchedule: async (_schedule, transaction) => {
      await deps.jobs.startExecution(executionOf('SCHEDULE'), transaction);
    },
    onExecutionEnded: async (execution, transaction) => {
      const rows = await transaction
        .selectFrom('scan_reports')
        .innerJoin('job', 'job.id', 'scan_reports.job_id')
        .select('scan_reports.id')
        .where('job.execution_id', '=', execution.id)
        .where('job.status', '=', 'Stopped')
        .where('scan_reports.status', '=', 'Pending')
        .execute();
      for (const { id } of rows) {
        const report = await parts.reports.findById(id);
        if (report !== undefined) await parts.scans.recordStop(report, 'scan all', transaction);
      }
    },
  };
}

function executionOf(trigger: JobTrigger) {
  return { vendorType: SCAN_ALL, vendorId: 0, trigger, tasks: [{ kind: SCAN_ALL, payload: {} }] } as const;
}
