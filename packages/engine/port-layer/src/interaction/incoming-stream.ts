import { Readable } from 'node:stream';
import { INITIAL_CREDIT_BYTES, protocolError } from '@vic/agent-protocol';

/** Credit is granted in pieces of at least this. */
const GRANT_BYTES = 64 * 1024;

/** A process's output: the tether may send only as much as the reader has taken. */
export class IncomingStream extends Readable {
  readonly #grant: (bytes: number) => void;
  #chunks: Uint8Array[] = [];
  #ended = false;
  /** How much the tether may still send. */
  #window = INITIAL_CREDIT_BYTES;
  #taken = 0;
  #wanted = false;

  constructor(grant: (bytes: number) => void) {
    super({ highWaterMark: GRANT_BYTES });
    this.#grant = grant;
    // A reader hears of a lost connection while it reads; a stream nobody reads has nobody to tell.
    this.on('error', () => undefined);
  }

  /** Takes bytes from the tether; throws when it sends more than it was granted. */
  receive(bytes: Uint8Array): void {
    this.#window -= bytes.length;
    if (this.#window < 0 || this.#ended) throw protocolError('a stream goes beyond what was granted');
    this.#chunks.push(bytes);
    this.#deliver();
  }

  /** Takes the stream's end, and says so: until then the machine that sent it must not go off. */
  finish(): void {
    this.#ended = true;
    this.#grant(0);
    this.#deliver();
  }

  /** Whether everything the process wrote has arrived. */
  get isComplete(): boolean {
    return this.#ended;
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  #deliver(): void {
    while (this.#wanted) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.#taken += chunk.length;
      this.#wanted = this.push(chunk);
    }
    if (this.#taken >= GRANT_BYTES || (this.#taken > 0 && this.#chunks.length === 0)) {
      this.#window += this.#taken;
      this.#grant(this.#taken);
      this.#taken = 0;
    }
    if (this.#ended && this.#chunks.length === 0 && !this.readableEnded && this.#wanted) {
      this.#wanted = false;
      this.push(null);
    }
  }
}
