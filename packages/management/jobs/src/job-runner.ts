import { hostname } from 'node:os';
import { delay, withDeadline } from '@vic/async';
import { describeError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { Database } from '@vic/sql';
import { endExecutions } from './end-executions.ts';
import { fireSchedules } from './fire-schedules.ts';
import { JobClaims } from './job-claims.ts';
import type { JobKind, JobVendor } from './job-kind.ts';
import { JobRun } from './job-run.ts';
import { sweepJobs } from './sweep-jobs.ts';

/** Options of {@link JobRunner}. */
export interface JobRunnerOptions {
  /** How many jobs this process runs at a time. 10. */
  readonly concurrency?: number;
  /** How often work of other processes, and what has become due, is looked for. 500 ms. */
  readonly pollMs?: number;
  /** How long a killed process keeps its jobs. 30 s. */
  readonly leaseMs?: number;
  /** How long runs may take to end when the program does. 20 s. */
  readonly graceMs?: number;
}

const DEFAULTS = { concurrency: 10, pollMs: 500, leaseMs: 30_000, graceMs: 20_000 } as const;
const SWEEP_INTERVAL_MS = 10 * 60 * 1000;
/** Commits that follow each other closely are looked at together. */
const GATHER_MS = 40;

/** Runs jobs, fires schedules and ends executions, beside the other processes that do the same. */
export class JobRunner implements AsyncDisposable {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #vendors: ReadonlyMap<string, JobVendor>;
  readonly #options: Required<JobRunnerOptions>;
  readonly #id = randomUuid();
  readonly #claims: JobClaims;
  readonly #runs = new Map<number, JobRun>();
  readonly #settled = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #loops: readonly Promise<void>[] = [];
  #wake: (() => void) | undefined;

  constructor(
    deps: { readonly database: Database; readonly logger: Logger },
    work: { readonly kinds: readonly JobKind[]; readonly vendors?: readonly JobVendor[] },
    options: JobRunnerOptions = {},
  ) {
    this.#database = deps.database;
    this.#logger = deps.logger;
    this.#kinds = new Map(work.kinds.map((kind) => [kind.kind, kind]));
    this.#vendors = new Map((work.vendors ?? []).map((vendor) => [vendor.vendorType, vendor]));
    this.#options = { ...DEFAULTS, ...options };
    this.#claims = new JobClaims(deps.database, { owner: this.#id, leaseMs: this.#options.leaseMs });
  }

  /** Starts to take jobs. */
  start(): void {
    if (this.#loops.length === 0) this.#loops = [this.#takeJobs(), this.#stayAlive(), this.#sweep()];
  }

  /** Takes no more jobs, lets those under way end, and puts back what was not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    for (const run of this.#runs.values()) run.interrupt();
    // What does not end in time is taken over by another process, or after the next start.
    await withDeadline('jobs to end', this.#options.graceMs, async () => Promise.all(this.#settled)).catch(() =>
      this.#runs.clear(),
    );
    await Promise.all(this.#loops);
    await this.#database.db
      .deleteFrom('job_pool')
      .where('id', '=', this.#id)
      .execute()
      .catch(() => undefined);
  }

  async #takeJobs(): Promise<void> {
    using _subscription = this.#database.afterCommit(() => this.#wake?.());
    while (!this.#stopping.signal.aborted) {
      try {
        await fireSchedules({ database: this.#database, logger: this.#logger }, this.#vendors);
        for (const id of await this.#claims.stopping()) this.#runs.get(id)?.stop();
        await this.#fill();
        await endExecutions({ database: this.#database, logger: this.#logger }, this.#vendors);
      } catch (error) {
        this.#logger.warn('Jobs could not be looked for', { error: describeError(error) });
      }
      await this.#untilWoken();
    }
  }

  /** Claims jobs for as long as there is room. */
  async #fill(): Promise<void> {
    const paused = await this.#database.db.selectFrom('job_pause').select('kind').execute();
    const held = new Set(paused.map(({ kind }) => kind));
    while (this.#runs.size < this.#options.concurrency && !this.#stopping.signal.aborted) {
      const row = await this.#claims.claim(this.#kindsWithRoom(held), [...this.#runs.keys()]);
      const kind = row === undefined ? undefined : this.#kinds.get(row.kind);
      if (row === undefined || kind === undefined) return;
      // Who ends has told all runs to: one that is begun after that would not be.
      if (this.#stopping.signal.aborted) return this.#claims.release(row.id, row.run_count - 1);
      this.#begin(new JobRun(row, kind));
    }
  }

  #kindsWithRoom(held: ReadonlySet<string>): readonly string[] {
    const running = [...this.#runs.values()].map(({ kind }) => kind);
    return [...this.#kinds.values()]
      .filter(({ kind }) => !held.has(kind))
      .filter(({ kind, concurrency = Infinity }) => running.filter((other) => other === kind).length < concurrency)
      .map(({ kind }) => kind);
  }

  #begin(run: JobRun): void {
    this.#runs.set(run.id, run);
    const settled = run
      .execute({ database: this.#database, claims: this.#claims })
      .then(({ end, error }) => {
        const ms = Date.now() - run.startedAtMs;
        const fields = { job: run.id, kind: run.kind, end, ms, ...(error === undefined ? {} : { error }) };
        this.#logger[end === 'Error' || end === 'Retried' ? 'warn' : 'info']('Job ended', fields);
      })
      .catch((error: unknown) => {
        this.#logger.warn('The end of a job could not be written down', { job: run.id, error: describeError(error) });
      })
      .finally(() => {
        this.#runs.delete(run.id);
        this.#settled.delete(settled);
        this.#wake?.();
      });
    this.#settled.add(settled);
  }

  /** Prolongs the claims to what runs, and shows that this process is there. */
  async #stayAlive(): Promise<void> {
    const startedAt = Date.now();
    while (!this.#stopping.signal.aborted || this.#runs.size > 0) {
      try {
        const asked = [...this.#runs.values()];
        const kept = await this.#claims.prolong(asked.map(({ id }) => id));
        // One begun since the question was asked is not in the answer.
        for (const run of asked) if (!kept.has(run.id) && this.#runs.get(run.id) === run) run.lose();
        for (const [id, { stop }] of kept) if (stop) this.#runs.get(id)?.stop();
        if (!this.#stopping.signal.aborted) await this.#showPool(startedAt);
        await this.#claims.giveUp();
      } catch (error) {
        this.#logger.warn('The claims to jobs could not be prolonged', { error: describeError(error) });
      }
      const pauseMs = this.#stopping.signal.aborted ? GATHER_MS : this.#options.leaseMs / 6;
      await delay(pauseMs, this.#stopping.signal.aborted ? undefined : this.#stopping.signal).catch(() => undefined);
    }
  }

  async #showPool(startedAt: number): Promise<void> {
    const now = Date.now();
    const values = { heartbeat_at: now, concurrency: this.#options.concurrency };
    await this.#database.db
      .insertInto('job_pool')
      .values({ id: this.#id, pid: process.pid, host: hostname(), started_at: startedAt, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
    await this.#database.db
      .deleteFrom('job_pool')
      .where('heartbeat_at', '<', now - 2 * this.#options.leaseMs)
      .execute();
  }

  async #sweep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await sweepJobs(this.#database, this.#vendors);
      } catch (error) {
        this.#logger.warn('Old jobs could not be removed', { error: describeError(error) });
      }
      await delay(SWEEP_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  async #untilWoken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.pollMs);
    this.#wake = resolve;
    if (this.#stopping.signal.aborted) resolve();
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
    await delay(GATHER_MS, this.#stopping.signal).catch(() => undefined);
  }
}
