import { AsyncLocalStorage } from 'node:async_hooks';
import { Mutex, withDeadline } from '@vic/async';
import { VicError, isVicError } from '@vic/errors';
import { databaseBusy } from '../../sql-error.ts';

/** How long a change waits for the transactions before it. */
const MAX_WAIT_MS = 30_000;

/** Lets one change at a time use the connection that writes. */
export class WriteLock {
  readonly #mutex = new Mutex();
  readonly #holder = new AsyncLocalStorage<{ open: boolean }>();

  /** Waits for the lock and gives the function that returns it. */
  async acquire(): Promise<() => void> {
    this.#refuseWithinTransaction();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: acquired, resolve: enter } = Promise.withResolvers<void>();
    void this.#mutex.run(async () => {
      enter();
      await released;
    });
    try {
      await withDeadline('the transactions before this one', MAX_WAIT_MS, async () => acquired);
    } catch (error) {
      release();
      if (!isVicError(error, { class: 'DeadlineExceeded' })) throw error;
      throw databaseBusy(`A transaction kept the database to itself for ${MAX_WAIT_MS} ms.`, error);
    }
    return release;
  }

  /** Runs the body of a transaction, noticing statements in it that wait for the very lock it holds. */
  async runTransaction<T>(body: () => Promise<T>): Promise<T> {
    const transaction = { open: true };
    try {
      return await this.#holder.run(transaction, body);
    } finally {
      transaction.open = false;
    }
  }

  #refuseWithinTransaction(): void {
    if (this.#holder.getStore()?.open !== true) return;
    throw new VicError({
      class: 'Internal',
      code: 'SQL_OUTSIDE_TRANSACTION',
      message: 'A change was made beside the transaction that is open; it would wait for itself.',
      remedy: 'Build the statement on the transaction.',
    });
  }
}
