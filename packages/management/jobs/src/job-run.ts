import { retry } from '@vic/async';
import { VicError, describeError, isVicError } from '@vic/errors';
import type { Database, Schema, Selectable } from '@vic/sql';
import { type JobClaims, claimLost } from './job-claims.ts';
import type { JobKind } from './job-kind.ts';
import { JobReport } from './job-report.ts';
import { toJob } from './job-rows.ts';

/** How a run ended: in a word, the last line of its log, and what is written down. */
interface Outcome {
  readonly end: RunEnd;
  readonly line?: string;
  write(claims: JobClaims): Promise<void>;
}

/** `Interrupted` by the end of the program, `Retried` after a failure, `Lost` to another process. */
type RunEnd = 'Success' | 'Stopped' | 'Error' | 'Retried' | 'Interrupted' | 'Lost';

const WRITE_RETRY = { attempts: 6, initialDelayMs: 200, maxDelayMs: 4000 } as const;
const DEFAULT_RETRY_MS = 10_000;
const MAX_RETRY_MS = 60 * 60 * 1000;

/** One run of one job in this process. */
export class JobRun {
  readonly id: number;
  readonly kind: string;
  readonly startedAtMs = Date.now();
  readonly #row: Selectable<Schema['job']>;
  readonly #jobKind: JobKind;
  readonly #aborter = new AbortController();

  constructor(row: Selectable<Schema['job']>, kind: JobKind) {
    this.id = row.id;
    this.kind = row.kind;
    this.#row = row;
    this.#jobKind = kind;
  }

  /** Tells the run to end because its job is to stop. */
  stop(): void {
    this.#aborter.abort(JOB_STOPPED);
  }

  /** Tells the run to end because the program does. */
  interrupt(): void {
    this.#aborter.abort(JOB_INTERRUPTED);
  }

  /** Tells the run to end because its job is no longer ours. */
  lose(): void {
    this.#aborter.abort(claimLost(this.id));
  }

  /** Runs the job, writes down how it ended, and tells it. */
  async execute(deps: {
    readonly database: Database;
    readonly claims: JobClaims;
  }): Promise<{ readonly end: RunEnd; readonly error: string | undefined }> {
    await using report = new JobReport(deps.database, this.id);
    const outcome = await this.#outcome(report);
    if (outcome === undefined) return { end: 'Lost', error: undefined };
    if (outcome.line !== undefined) report.log.error(outcome.line);
    // What was done must not be done again because the database was away at the end of it.
    await retry(
      async () => {
        await report.flush();
        await outcome.write(deps.claims);
      },
      { ...WRITE_RETRY, retryIf: (error) => isVicError(error, { class: 'Unavailable' }) },
    );
    return { end: outcome.end, error: outcome.line };
  }

  async #outcome(report: JobReport): Promise<Outcome | undefined> {
    const { signal } = this.#aborter;
    const limit = this.#jobKind.timeoutMs;
    const timer = limit === undefined ? undefined : setTimeout(() => this.#aborter.abort(outOfTime(limit)), limit);
    try {
      await this.#jobKind.run({
        job: toJob(this.#row),
        signal,
        log: report.log,
        progress: (percent, message) => report.progress(percent, message),
        setAttributes: async (attributes) => report.setAttributes(attributes),
      });
      // A run that has noticed and returned has not done everything.
      signal.throwIfAborted();
      return { end: 'Success', write: async (claims) => claims.end(this.id, 'Success') };
    } catch (error) {
      return this.#failure(signal.aborted ? signal.reason : error);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(cause: unknown): Outcome | undefined {
    if (isVicError(cause, { code: 'JOB_CLAIM_LOST' })) return undefined;
    const line = describeError(cause);
    if (cause === JOB_INTERRUPTED)
      return { end: 'Interrupted', line, write: async (claims) => claims.release(this.id, this.#row.run_count - 1) };
    if (cause === JOB_STOPPED) {
      return { end: 'Stopped', line, write: async (claims) => claims.end(this.id, 'Stopped') };
    }
    const failures = this.#row.failures + 1;
    const limit = this.#row.max_failures > 0 ? this.#row.max_failures : (this.#jobKind.maxFailures ?? 1);
    if (failures >= limit) {
      return { end: 'Error', line, write: async (claims) => claims.end(this.id, 'Error', line) };
    }
    const runAtMs = Date.now() + this.#pauseMs();
    return {
      end: 'Retried',
      line,
      write: async (claims) => claims.putBack(this.id, { runAtMs, failures, message: line }),
    };
  }

  #pauseMs(): number {
    const firstMs = this.#jobKind.retryMs ?? DEFAULT_RETRY_MS;
    return Math.min(firstMs * 2 ** this.#row.failures, MAX_RETRY_MS);
  }
}

const JOB_STOPPED = new VicError({ class: 'Cancelled', code: 'JOB_STOPPED', message: 'The job was stopped.' });

const JOB_INTERRUPTED = new VicError({
  class: 'Unavailable',
  code: 'JOB_INTERRUPTED',
  message: 'The program has ended; the job will be run again.',
});

function outOfTime(limitMs: number): VicError {
  return new VicError({
    class: 'DeadlineExceeded',
    code: 'JOB_OUT_OF_TIME',
    message: `The job did not finish within ${limitMs / 1000} s.`,
  });
}
