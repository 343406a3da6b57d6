import { mkdir, open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { randomUuid } from '@vic/ids';

const READ_BYTES = 256 * 1024;
/** Kept back until the whole content is known to be right, so that nobody has all of something wrong. */
const HELD_BACK_BYTES = 1;

/**
 * Content on its way from an upstream, in a temporary file without a name: written once, read by any number of
 * readers from the beginning, each at its own pace.
 */
export class BlobSpool implements AsyncDisposable {
  readonly #file: FileHandle;
  #written = 0;
  #isComplete = false;
  #failure: { readonly error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();
  /** The writer and each reader. */
  #users = 1;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** An empty spool in a directory, which is made when it is not there. */
  static async create(directory: string): Promise<BlobSpool> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, `proxy-${randomUuid()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new BlobSpool(file);
  }

  /** Writes the whole content; its failure becomes that of the readers, too. */
  async write(content: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of content) {
        await this.#file.write(chunk, 0, chunk.length, this.#written);
        this.#written += chunk.length;
        this.#tell();
      }
      this.#isComplete = true;
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      this.#tell();
    }
  }

  /** The content from the beginning, as it arrives. */
  read(): Readable {
    this.#users++;
    const stream = Readable.from(this.#pieces(), { objectMode: false, highWaterMark: READ_BYTES });
    stream.once('close', () => void this.#leave());
    return stream;
  }

  /** The writer is done; the file goes with its last reader. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  async *#pieces(): AsyncGenerator<Buffer, void, undefined> {
    for (let at = 0; ;) {
      const { promise } = this.#changed;
      const readable = this.#isComplete ? this.#written : this.#written - HELD_BACK_BYTES;
      if (at < readable) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, readable - at));
        const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isComplete) return;
      await promise;
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async #leave(): Promise<void> {
    if (--this.#users === 0) await this.#file.close();
  }
}
