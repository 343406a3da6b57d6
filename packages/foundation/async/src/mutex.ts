/** Runs operations one after another, in the order they were asked for. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `operation` once all earlier ones have settled; their failures do not affect it. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    const previous = this.#tail;
    const current = previous.then(operation, operation);
    this.#tail = current.catch(() => undefined);
    return current;
  }
}

/** One {@link Mutex} per key, forgotten when idle. */
export class KeyedMutex {
  readonly #locks = new Map<string, { mutex: Mutex; users: number }>();

  /** Runs `operation` alone among those with the same key. */
  async run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const lock = this.#locks.get(key) ?? { mutex: new Mutex(), users: 0 };
    this.#locks.set(key, lock);
    lock.users++;
    try {
      return await lock.mutex.run(operation);
    } finally {
      if (--lock.users === 0) this.#locks.delete(key);
    }
  }
}

/** Shares one run of an operation among all who ask for the same key while it is under way. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** The result of the run under way for `key`, or of a new one. */
  run(key: string, operation: () => Promise<T>): Promise<T> {
    const existing = this.#flights.get(key);
    if (existing !== undefined) return existing;
    const flight = operation().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}
