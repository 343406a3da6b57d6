/**
 * A bounded queue read with `for await`.
 *
 * `push` never blocks; past `limit` unread items the oldest are dropped and counted, so that a reader that
 * stalls cannot make memory grow.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #limit: number;
  #wake: (() => void) | undefined;
  #closed = false;
  #dropped = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** How many items were lost because the reader stalled. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an item; ignored after {@link close}. */
  push(item: T): void {
    if (this.#closed) return;
    if (this.#items.length >= this.#limit) {
      this.#items.shift();
      this.#dropped++;
    }
    this.#items.push(item);
    this.#wake?.();
  }

  /** Ends the iteration once the items already queued have been read. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift() as T;
      if (this.#closed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
  }
}

/** Publishes items to any number of subscribers, each with its own bounded queue. */
export class Broadcast<T> {
  readonly #subscribers = new Set<AsyncQueue<T>>();

  /** Gives the item to every subscriber of this moment. */
  publish(item: T): void {
    for (const subscriber of this.#subscribers) subscriber.push(item);
  }

  /** A queue of everything published from now on; it ends when the signal fires or {@link close} is called. */
  subscribe(signal?: AbortSignal): AsyncQueue<T> {
    const queue = new AsyncQueue<T>();
    this.#subscribers.add(queue);
    const end = (): void => {
      this.#subscribers.delete(queue);
      queue.close();
    };
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
    return queue;
  }

  /** Ends every subscription. */
  close(): void {
    for (const subscriber of this.#subscribers) subscriber.close();
    this.#subscribers.clear();
  }
}
