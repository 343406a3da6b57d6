import { VicError } from '@vic/errors';

/** Runs few operations at a time, lets few wait, and refuses the rest at once. */
export class WorkQueue {
  readonly #concurrent: number;
  readonly #waitingLimit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** A queue for that many at a time, and that many waiting. */
  constructor(concurrent: number, waitingLimit: number) {
    this.#concurrent = concurrent;
    this.#waitingLimit = waitingLimit;
  }

  /** The result of the operation, once it is its turn. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    await this.#turn();
    try {
      return await operation();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running < this.#concurrent) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= this.#waitingLimit) throw tooMany();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(() => {
      this.#running++;
      resolve();
    });
    await promise;
  }
}

function tooMany(): VicError {
  return new VicError({
    class: 'RateLimited',
    code: 'IDENTITY_BUSY',
    message: 'Too many people are signing in at this moment.',
    remedy: 'Try again in a second.',
  });
}
