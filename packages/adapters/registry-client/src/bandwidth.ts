import { delay } from '@vic/async';

/** How much may have been saved up by a pause: half a second's worth. */
const BURST_SECONDS = 0.5;

/** A limit of bytes per second that any number of streams share. */
export class BandwidthLimit {
  readonly #bytesPerSecond: number;
  /** The moment by which everything let through so far would have passed at exactly the allowed rate. */
  #paidUntilMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** The same bytes, no faster than allowed. */
  async *limit(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      await this.#pass(chunk.length, signal);
      yield chunk;
    }
  }

  async #pass(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now();
    this.#paidUntilMs = Math.max(this.#paidUntilMs, now - BURST_SECONDS * 1000) + (bytes * 1000) / this.#bytesPerSecond;
    if (this.#paidUntilMs > now) await delay(this.#paidUntilMs - now, signal);
  }
}
