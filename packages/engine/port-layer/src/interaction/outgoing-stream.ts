import { Writable } from 'node:stream';
import { INITIAL_CREDIT_BYTES } from '@vic/agent-protocol';

/** Sends pieces of a stream; each gives false when the connection's buffer is full. */
export interface StreamSender {
  data(bytes: Uint8Array): void;
  end(): void;
}

/** Larger writes are cut, so that other streams get their turn. */
const PIECE_BYTES = 32 * 1024;

/** A process's standard input: writes wait for the credit the tether grants. */
export class OutgoingStream extends Writable {
  readonly #sender: StreamSender;
  #credit = INITIAL_CREDIT_BYTES;
  #waiting: { readonly bytes: Buffer; readonly done: (error?: Error | null) => void } | undefined;

  constructor(sender: StreamSender) {
    super({ highWaterMark: PIECE_BYTES });
    this.#sender = sender;
    // Whoever writes hears of a lost connection through the write; a stream nobody writes to has nobody to tell.
    this.on('error', () => undefined);
  }

  /** Takes credit from the tether. */
  grant(bytes: number): void {
    this.#credit += bytes;
    this.#proceed();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#waiting = { bytes: chunk, done: callback };
    this.#proceed();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#sender.end();
    callback();
  }

  #proceed(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    let rest = waiting.bytes;
    while (rest.length > 0 && this.#credit > 0) {
      const piece = rest.subarray(0, Math.min(rest.length, this.#credit, PIECE_BYTES));
      this.#credit -= piece.length;
      this.#sender.data(piece);
      rest = rest.subarray(piece.length);
    }
    this.#waiting = rest.length === 0 ? undefined : { bytes: rest, done: waiting.done };
    if (rest.length === 0) waiting.done();
  }
}
