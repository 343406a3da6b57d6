import type { FileHandle } from 'node:fs/promises';
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

/** The bytes of an open file from `start` to before `end`; closes the file at its end. */
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

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const finish = (): void => callback(error);
    this.#file.close().then(finish, finish);
  }

  async #next(): Promise<void> {
    try {
      const bytes = await this.#readChunk();
      this.#position += bytes.length;
      this.#checks.update?.(bytes);
      const last = this.#position === this.#end;
      if (last) await this.#checks.beforeLast?.();
      if (bytes.length > 0) this.push(bytes);
      if (last) this.push(null);
    } catch (error) {
      const meaning = (await this.#checks.failure?.(error)) ?? error;
      this.destroy(meaning instanceof Error ? meaning : new Error(String(meaning)));
    }
  }

  async #readChunk(): Promise<Buffer> {
    const wanted = Math.min(CHUNK_BYTES, this.#end - this.#position);
    const buffer = Buffer.allocUnsafeSlow(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await this.#file.read(buffer, filled, wanted - filled, this.#position + filled);
      if (bytesRead === 0) throw new FileTooShort();
      filled += bytesRead;
    }
    return buffer;
  }
}

/** The file ended before the bytes it is known to have. */
export class FileTooShort extends Error {
  constructor() {
    super('the file became shorter while it was read');
  }
}
