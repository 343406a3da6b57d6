/** Wakes whoever waits for the state of something to change; who waits looks again by himself. */
export class ChangeSignal {
  #next = Promise.withResolvers<void>();

  /** Wakes all who wait at this moment. */
  notify(): void {
    const waking = this.#next;
    this.#next = Promise.withResolvers<void>();
    waking.resolve();
  }

  /** Resolves at the next change; rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#next.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The first value other than `undefined` that `probe` gives, now or after a change. */
  async until<T>(probe: () => T | undefined, signal: AbortSignal): Promise<T> {
    for (;;) {
      const found = probe();
      if (found !== undefined) return found;
      await this.next(signal);
    }
  }
}
