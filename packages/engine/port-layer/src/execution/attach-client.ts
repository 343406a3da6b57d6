import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import type { AttachedStreams } from './execution.ts';

/** One attached client: what the hub writes to and reads from. */
export class AttachClient {
  readonly stdin: PassThrough | undefined;
  readonly stdout = new PassThrough();
  readonly stderr: PassThrough | undefined;
  readonly #gone = new AbortController();

  constructor(options: { readonly stdin: boolean; readonly stderr: boolean }) {
    this.stdin = options.stdin ? new PassThrough() : undefined;
    this.stderr = options.stderr ? new PassThrough() : undefined;
    // A client that goes away destroys its streams; that is not an error of ours.
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.on('error', () => undefined);
  }

  /** Fires when the client has left or was ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Gives output to the client; resolves when it can take more, or is gone. */
  async write(channel: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> {
    await writeAll(channel === 'stdout' ? this.stdout : this.stderr, chunk);
  }

  /** Ends the client's output; what it has not read yet can still be read. */
  end(): void {
    this.stdout.end();
    this.stderr?.end();
    this.stdin?.destroy();
    this.#gone.abort();
  }

  /** The client has left: nothing more goes either way. */
  leave(): void {
    this.#gone.abort();
    this.stdin?.destroy();
    this.stdout.destroy();
    this.stderr?.destroy();
  }

  /** The streams as the client sees them. */
  streams(detach: () => void): AttachedStreams {
    return { stdin: this.stdin, stdout: this.stdout, stderr: this.stderr, detach };
  }
}

/** Writes a chunk and waits for room; a stream that is closed swallows it. */
export async function writeAll(stream: Writable | undefined, chunk: Uint8Array): Promise<void> {
  if (stream === undefined || stream.destroyed || stream.writableEnded) return;
  if (stream.write(chunk)) return;
  const done = new AbortController();
  try {
    await Promise.race([
      once(stream, 'drain', { signal: done.signal }),
      once(stream, 'close', { signal: done.signal }),
    ]);
  } catch {
    // The stream failed, which is how a client goes away.
  } finally {
    done.abort();
  }
}
