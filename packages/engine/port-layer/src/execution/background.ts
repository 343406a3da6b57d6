import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';

/** Work that nobody waits for: it is logged when it fails, and waited for when the program ends. */
export class Background implements AsyncDisposable {
  readonly #running = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Fires when the program ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Starts `work`; `what` names it in the log. */
  run(what: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.signal.aborted) return;
    const running = work(this.signal)
      .catch((error: unknown) => {
        if (!this.signal.aborted) this.#logger.warn(`${what} failed: ${describeError(error)}`);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('The endpoint is ending.'));
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
