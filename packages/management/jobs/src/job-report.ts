import type { Database } from '@vic/sql';
import type { JobLog } from './job-kind.ts';
import type { JsonObject } from './job-model.ts';

/** A log is for people; what is longer than this was not written for them. */
const MAX_LINES = 10_000;
const MAX_LINE_LENGTH = 4000;
const INSERT_BATCH = 200;
const FLUSH_MS = 500;

/** What a run tells of itself, gathered and written a few times a second. */
export class JobReport implements AsyncDisposable {
  readonly log: JobLog;
  readonly #database: Database;
  readonly #jobId: number;
  readonly #timer: NodeJS.Timeout;
  #lines: { readonly at: number; readonly level: string; readonly message: string }[] = [];
  #lineCount = 0;
  #progress: { readonly percent: number; readonly message: string | undefined } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(database: Database, jobId: number) {
    this.#database = database;
    this.#jobId = jobId;
    this.#timer = setInterval(() => void this.flush().catch(() => undefined), FLUSH_MS);
    this.log = {
      info: (message) => this.#add('INFO', message),
      warn: (message) => this.#add('WARNING', message),
      error: (message) => this.#add('ERROR', message),
    };
  }

  /** Notes how far the run is. */
  progress(percent: number, message?: string): void {
    const whole = Math.max(0, Math.min(100, Math.trunc(percent)));
    this.#progress = { percent: whole, message: message ?? this.#progress?.message };
  }

  /** Changes attributes of the job; the others stay. */
  async setAttributes(attributes: JsonObject): Promise<void> {
    await this.#database.transaction(async (db) => {
      const { attributes: current } = await db
        .selectFrom('job')
        .select('attributes')
        .where('id', '=', this.#jobId)
        .executeTakeFirstOrThrow();
      const merged = { ...(JSON.parse(current) as JsonObject), ...attributes };
      await db
        .updateTable('job')
        .set({ attributes: JSON.stringify(merged), updated_at: Date.now() })
        .where('id', '=', this.#jobId)
        .execute();
    });
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    const write = this.#writing.then(async () => this.#write());
    this.#writing = write.catch(() => undefined);
    await write;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    // A job that was removed has nothing to be written to.
    await this.flush().catch(() => undefined);
  }

  #add(level: string, message: string): void {
    if (this.#lineCount > MAX_LINES) return;
    const text = this.#lineCount === MAX_LINES ? 'The log is full; what follows is not kept.' : message;
    this.#lineCount++;
    this.#lines.push({ at: Date.now(), level, message: text.slice(0, MAX_LINE_LENGTH) });
  }

  async #write(): Promise<void> {
    while (this.#lines.length > 0) {
      const batch = this.#lines.slice(0, INSERT_BATCH);
      await this.#database.db
        .insertInto('job_log')
        .values(batch.map((line) => ({ job_id: this.#jobId, ...line })))
        .execute();
      this.#lines = this.#lines.slice(batch.length);
    }
    const progress = this.#progress;
    if (progress === undefined) return;
    this.#progress = undefined;
    await this.#database.db
      .updateTable('job')
      .set({
        progress: progress.percent,
        ...(progress.message === undefined ? {} : { status_message: progress.message }),
        updated_at: Date.now(),
      })
      .where('id', '=', this.#jobId)
      .execute();
  }
}
