import type { Socket } from 'node:net';

/** Reads exact numbers of bytes from a socket; every wait ends when the socket does. */
export class ByteReader {
  readonly #chunks: Buffer[] = [];
  #buffered = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      // Nobody asked for these bytes yet: let the peer wait instead of filling memory.
      if (this.#wake === undefined) socket.pause();
      this.#wake?.();
    });
    const end = (error?: Error): void => {
      this.#failure ??= error ?? new Error('the server closed the connection');
      this.#wake?.();
    };
    socket.on('error', end);
    socket.on('close', () => end());
    socket.on('end', () => end());
  }

  /** Exactly `length` bytes; rejects with the reason when the connection ends first. */
  async take(length: number): Promise<Buffer> {
    while (this.#buffered < length) {
      if (this.#failure !== undefined) throw this.#failure;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#socket.resume();
      await promise;
      this.#wake = undefined;
    }
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    this.#buffered = all.length - length;
    if (this.#buffered > 0) this.#chunks.push(all.subarray(length));
    return all.subarray(0, length);
  }
}
