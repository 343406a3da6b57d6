import type { FileHandle } from 'node:fs/promises';
import { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

/** Few system calls, and small enough for hundreds of readers. */
const CHUNK_BYTES = 256 * 2 ** 10;

/** What a {@link FileReader} asks of its owner. */
export interface ReadChecks {
  /** Sees each chunk in order, before it is handed out. */
  readonly update?: (bytes: Uint8Array) => void;
  /** Called before the last chunk is handed out; what it throws fails the stream instead. */
  readonly beforeLast?: () => Promise<void>;
  /** What a failure to read means. */
  readonly failure?: (error: unknown) => Promise<unknown>;
}

/** How many chunks a pipe reads ahead of what its destination has taken. */
const PIPED_CHUNKS = 2;

/**
 * The bytes of an open file from `start` to before `end`; closes the file at its end.
 *
 * Piped to an HTTP response, it uses the same few buffers again and again, as soon as the response has called back
 * because the socket has taken the bytes: large buffers made anew for each chunk cost more than everything else about
 * serving a file.
 */
export class FileReader extends Readable {
  readonly #file: FileHandle;
  readonly #end: number;
  readonly #checks: ReadChecks;
  #position: number;

  constructor(file: FileHandle, span: { readonly start: number; readonly end: number }, checks: ReadChecks = {}) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#file = file;
    this.#position = span.start;
    this.#end = span.end;
    this.#checks = checks;
  }

  override _read(): void {
    void this.#next();
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { readonly end?: boolean }): T {
    // Others, a PassThrough for one, call back while they still hold the bytes.
    if (!(destination instanceof ServerResponse)) return super.pipe(destination, options);
    destination.on('close', () => {
      if (!this.readableEnded) this.destroy();
    });
    destination.emit('pipe', this);
    void this.#copyTo(destination, options?.end !== false);
    return destination;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const finish = (): void => callback(error);
    this.#file.close().then(finish, finish);
  }

  async #next(): Promise<void> {
    try {
      const bytes = await this.#checkedChunk(Buffer.allocUnsafeSlow(this.#wanted));
      if (bytes.length > 0) this.push(bytes);
      if (this.#position === this.#end) this.push(null);
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #copyTo(destination: NodeJS.WritableStream, end: boolean): Promise<void> {
    const size = Math.min(CHUNK_BYTES, this.#wanted);
    const pending: Promise<Buffer>[] = [];
    try {
      while (this.#position < this.#end && !this.destroyed) {
        const free = pending.length < PIPED_CHUNKS ? Buffer.allocUnsafeSlow(size) : await pending.shift();
        if (free === undefined || this.destroyed) return;
        const bytes = await this.#checkedChunk(free.subarray(0, this.#wanted));
        const written = write(destination, bytes, free);
        written.catch(() => undefined);
        pending.push(written);
      }
      if (size === 0) await this.#checks.beforeLast?.();
      await Promise.all(pending);
    } catch (error) {
      if (!this.destroyed) await this.#fail(error);
      return;
    }
    if (this.destroyed) return;
    this.push(null);
    this.resume();
    if (end) destination.end();
  }

  async #checkedChunk(buffer: Buffer): Promise<Buffer> {
    const bytes = await this.#readChunk(buffer);
    this.#position += bytes.length;
    this.#checks.update?.(bytes);
    if (this.#position === this.#end) await this.#checks.beforeLast?.();
    return bytes;
  }

  async #fail(error: unknown): Promise<void> {
    const meaning = await this.#meaningOf(error);
    this.destroy(meaning instanceof Error ? meaning : new Error(String(meaning)));
  }

  /** Looking into a failure may fail, too: a damaged file cannot be moved on a disk that is read-only. */
  async #meaningOf(error: unknown): Promise<unknown> {
    try {
      return (await this.#checks.failure?.(error)) ?? error;
    } catch (other) {
      return other;
    }
  }

  get #wanted(): number {
    return Math.min(CHUNK_BYTES, this.#end - this.#position);
  }

  async #readChunk(buffer: Buffer): Promise<Buffer> {
    const wanted = buffer.length;
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await this.#file.read(buffer, filled, wanted - filled, this.#position + filled);
      if (bytesRead === 0) throw new FileTooShort();
      filled += bytesRead;
    }
    return buffer;
  }
}

/** Resolves, with the buffer that may be used again, when the destination has taken the bytes. */
async function write(destination: NodeJS.WritableStream, bytes: Uint8Array, buffer: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  destination.write(bytes, (error) => {
    if (error === null || error === undefined) resolve(buffer);
    else reject(error);
  });
  return promise;
}

/** The file ended before the bytes it is known to have. */
export class FileTooShort extends Error {
  constructor() {
    super('the file became shorter while it was read');
  }
}
