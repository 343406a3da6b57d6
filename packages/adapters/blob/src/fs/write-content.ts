import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { readContent } from '../read-content.ts';

/** Large enough that system calls do not count, small enough that fifty uploads fit into memory. */
const BATCH_BYTES = 2 ** 20;

/** Told of bytes in the order they arrive. */
export interface ContentListener {
  update(bytes: Uint8Array): unknown;
}

/**
 * Writes `content` at `position` in large batches, one being written while the next is gathered and hashed.
 *
 * What arrived before a failure is written before the failure is thrown. `content` is destroyed when `signal` fires,
 * and otherwise left to its owner.
 */
export async function writeContent(
  file: FileHandle,
  position: number,
  content: Readable,
  options: { readonly listener?: ContentListener | undefined; readonly signal: AbortSignal },
): Promise<number> {
  const writer = new BatchWriter(file, position);
  const { listener, signal } = options;
  try {
    await readContent(
      content,
      (bytes) => {
        listener?.update(bytes);
        return writer.add(bytes) ? writer.start() : undefined;
      },
      signal,
    );
  } catch (error) {
    await writer.finish();
    throw error;
  }
  return writer.finish();
}

class BatchWriter {
  readonly #file: FileHandle;
  #position: number;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** Whether the batch is large enough to be written. */
  add(bytes: Uint8Array): boolean {
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    return this.#batchBytes >= BATCH_BYTES;
  }

  /** Waits for the batch before and begins to write this one. */
  async start(): Promise<void> {
    const batch = this.#batch;
    const batchBytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#writing;
    this.#writing = writeAll(this.#file, batch, this.#position);
    this.#writing.catch(() => undefined);
    this.#position += batchBytes;
  }

  /** Writes what is left; gives the position after the last byte. */
  async finish(): Promise<number> {
    if (this.#batchBytes > 0) await this.start();
    await this.#writing;
    return this.#position;
  }
}

async function writeAll(file: FileHandle, batch: readonly Uint8Array[], position: number): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = after(rest, bytesWritten);
  }
}

/** What is left of `batch` once its first `count` bytes are written. */
function after(batch: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [index, bytes] of batch.entries()) {
    if (skipped + bytes.length > count) return [bytes.subarray(count - skipped), ...batch.slice(index + 1)];
    skipped += bytes.length;
  }
  return [];
}
