import { AsyncLocalStorage } from 'node:async_hooks';
import { type Database, type Executor, sql } from '@vic/sql';

/** One change, as `Database.transaction` takes it. */
type Change<T> = (tx: Executor) => Promise<T>;

interface WaitingChange {
  /** Runs the change and keeps its outcome; gives the failure, after which nothing that it wrote may stay. */
  readonly attempt: (tx: Executor) => Promise<{ readonly error: unknown } | undefined>;
  /** Tells its caller the outcome, which is durable now. */
  readonly settle: () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * After this long a batch is committed, whatever still waits: on SQLite, statements leave no room for anything else
 * that the process does.
 */
const MAX_BATCH_MS = 20;

/** About what a commit takes on a disk without a cache: waiting longer gains nothing. */
const MAX_GATHER_MS = 4;

/**
 * Commits changes of many clients together.
 *
 * With SQLite one change at a time is made, and each commit waits for the disk; so changes that arrive during a
 * commit share the next one, each in a savepoint of its own. PostgreSQL does this by itself.
 */
export class GroupCommit {
  readonly #database: Pick<Database, 'dialect' | 'transaction'>;
  readonly #waiting: WaitingChange[] = [];
  /** What one change runs in is not the context of whoever came first. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #isRunning = false;

  constructor(database: Pick<Database, 'dialect' | 'transaction'>) {
    this.#database = database;
  }

  /** Makes a change, durable when this returns; may run `change` again, as `Database.transaction` does. */
  async run<T>(change: Change<T>): Promise<T> {
    if (this.#database.dialect !== 'sqlite') return this.#database.transaction(change);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    this.#waiting.push({
      attempt: async (tx) => {
        try {
          outcome = { value: await change(tx) };
          return undefined;
        } catch (error) {
          outcome = { error };
          return outcome;
        }
      },
      settle: () => {
        if (outcome !== undefined && 'value' in outcome) resolve(outcome.value);
        else reject(outcome?.error);
      },
      fail: reject,
    });
    if (!this.#isRunning) void this.#inOwnContext(async () => this.#runAll());
    return promise;
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      await this.#gather();
      await this.#runBatch();
    }
    this.#isRunning = false;
  }

  /** Lets requests that are on their way come this far: as long as more keep coming, and not for long. */
  async #gather(): Promise<void> {
    const endMs = performance.now() + MAX_GATHER_MS;
    let before: number;
    do {
      before = this.#waiting.length;
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#waiting.length > before && performance.now() < endMs);
  }

  async #runBatch(): Promise<void> {
    let batch: WaitingChange[] = [];
    try {
      await this.#database.transaction(async (tx) => {
        this.#waiting.unshift(...batch);
        batch = [];
        const endMs = performance.now() + MAX_BATCH_MS;
        for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
          batch.push(next);
          await attemptAlone(tx, next);
          if (performance.now() > endMs) break;
        }
      });
    } catch (error) {
      // One that did not even begin fails those who waited for it: the database is away, or full.
      for (const change of batch.length > 0 ? batch : this.#waiting.splice(0)) change.fail(error);
      return;
    }
    for (const change of batch) change.settle();
  }
}

async function attemptAlone(tx: Executor, change: WaitingChange): Promise<void> {
  await sql`savepoint change`.execute(tx);
  const failure = await change.attempt(tx);
  if (failure !== undefined) {
    await sql`rollback to savepoint change`.execute(tx).catch(() => {
      // A full disk, for one, has already ended the transaction: the reason is that of all of it.
      throw failure.error;
    });
  }
  await sql`release savepoint change`.execute(tx);
}
