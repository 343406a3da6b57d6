/** Lets at most so many operations run at a time, in the order they asked. */
export class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `operation` when it is its turn; `onWait` is called when that is not at once. */
  async run<T>(operation: () => Promise<T>, signal: AbortSignal, onWait: () => void): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else {
      onWait();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#queue.push(resolve);
      await promise;
    }
    try {
      signal.throwIfAborted();
      return await operation();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
