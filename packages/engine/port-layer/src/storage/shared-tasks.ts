interface SharedTask<T, E> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly listeners: Set<(event: E) => void>;
  waiting: number;
}

/** Runs an operation once for all who want it at the same time; it is aborted when the last of them has left. */
export class SharedTasks<T, E> {
  readonly #tasks = new Map<string, SharedTask<T, E>>();

  /** Joins the task under way for `key` or starts it. `listener` hears its events from now on. */
  async run(
    key: string,
    operation: (signal: AbortSignal, emit: (event: E) => void) => Promise<T>,
    listener: (event: E) => void,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    const task = this.#tasks.getOrInsertComputed(key, () => this.#start(key, operation));
    task.waiting++;
    task.listeners.add(listener);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([task.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      task.listeners.delete(listener);
      if (--task.waiting === 0 && this.#tasks.get(key) === task) {
        this.#tasks.delete(key);
        task.controller.abort(signal.reason);
        // Whoever asks next must not meet the remains of this run.
        await task.result.catch(() => undefined);
      }
    }
  }

  /** The result of the task under way for `key`, without joining it; `undefined` when there is none. */
  result(key: string): Promise<T> | undefined {
    return this.#tasks.get(key)?.result;
  }

  #start(key: string, operation: (signal: AbortSignal, emit: (event: E) => void) => Promise<T>): SharedTask<T, E> {
    const controller = new AbortController();
    const listeners = new Set<(event: E) => void>();
    const emit = (event: E): void => {
      for (const listener of listeners) listener(event);
    };
    // Deferred, so that the first listener is there before the first event.
    const result = Promise.resolve()
      .then(async () => operation(controller.signal, emit))
      .finally(() => {
        if (this.#tasks.get(key)?.result === result) this.#tasks.delete(key);
      });
    result.catch(() => undefined);
    return { result, controller, listeners, waiting: 0 };
  }
}
