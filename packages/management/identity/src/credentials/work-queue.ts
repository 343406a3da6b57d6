import { VicError } from '@vic/errors';

/** How much a {@link WorkQueue} takes on. */
export interface WorkQueueLimits {
  readonly running: number;
  readonly waiting: number;
  /** Of those waiting, how many may have come from one place. */
  readonly waitingFromOne: number;
}

interface Waiting {
  readonly from: string | undefined;
  start(): void;
}

/** The queue is full. */
class QueueFullError extends VicError {
  /** For the `Retry-After` header. */
  readonly retryAfterSeconds = 1;

  constructor() {
    super({
      class: 'RateLimited',
      code: 'IDENTITY_BUSY',
      message: 'Too many people are signing in at this moment.',
      remedy: 'Try again in a second.',
    });
  }
}

/** Runs few operations at a time, lets few wait, and refuses the rest at once. */
export class WorkQueue {
  readonly #limits: WorkQueueLimits;
  readonly #waiting: Waiting[] = [];
  #running = 0;

  /** A queue with those limits. */
  constructor(limits: WorkQueueLimits) {
    this.#limits = limits;
  }

  /** The result of the operation, once it is its turn; `from` is the place whose share of the queue it takes. */
  async run<T>(from: string | undefined, operation: () => Promise<T>): Promise<T> {
    await this.#turn(from);
    try {
      return await operation();
    } finally {
      this.#running--;
      this.#waiting.shift()?.start();
    }
  }

  async #turn(from: string | undefined): Promise<void> {
    if (this.#running < this.#limits.running) {
      this.#running++;
      return;
    }
    const fromThere = from === undefined ? 0 : this.#waiting.filter((waiting) => waiting.from === from).length;
    if (this.#waiting.length >= this.#limits.waiting || fromThere >= this.#limits.waitingFromOne)
      throw new QueueFullError();
    const { promise, resolve } = Promise.withResolvers<void>();
    const start = (): void => {
      this.#running++;
      resolve();
    };
    this.#waiting.push({ from, start });
    await promise;
  }
}
