import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VicError } from '@vic/errors';

/**
 * Brings committed transactions to the disk, those of the same moment together.
 *
 * SQLite itself would do it for each one, with the whole program standing still; with `synchronous = normal` it
 * leaves the log of a commit to the operating system, https://www.sqlite.org/pragma.html#pragma_synchronous,
 * and who made it waits here. A prefix of the log is always whole, so a commit on the disk has all before it there.
 */
export class WriteAheadLog implements AsyncDisposable {
  readonly #file: FileHandle;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: VicError | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The log of a database that is open, and has been written to or read from. */
  static async of(databasePath: string): Promise<WriteAheadLog> {
    const path = await realpath(databasePath);
    const file = await open(`${path}-wal`, 'r+');
    // The log may be new: its name must be as durable as what is in it.
    await using directory = await open(dirname(path), 'r');
    await directory.sync();
    return new WriteAheadLog(file);
  }

  /** Resolves once everything that was committed before the call is on the disk. */
  async flush(): Promise<void> {
    // A run under way may have begun before the commit; the one after it has not.
    this.#next ??= this.#afterRunning();
    await this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#running?.catch(() => undefined);
    await this.#file.close();
  }

  async #afterRunning(): Promise<void> {
    await this.#running?.catch(() => undefined);
    this.#next = undefined;
    this.#running = this.#sync();
    await this.#running;
  }

  async #sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#file.datasync();
    } catch (cause) {
      // What the disk refused once it may claim to have the next time: nothing is acknowledged any more.
      this.#failure = syncFailed(cause);
      throw this.#failure;
    }
  }
}

function syncFailed(cause: unknown): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'SQL_SYNC_FAILED',
    message: 'The disk of the database did not take what was committed.',
    remedy: 'Check the disk, then start the program again.',
    cause,
  });
}
