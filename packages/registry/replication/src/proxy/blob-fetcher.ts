import type { Readable } from 'node:stream';
import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { ContentDigest } from '@vic/oci';
import { BlobSpool } from './blob-spool.ts';

/** Opens the content of a blob at its upstream. */
export type OpenContent = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** A blob to be fetched from an upstream and kept. */
export interface FetchJob {
  /** Names the blob and its place: one fetch at a time has it. */
  readonly key: string;
  readonly digest: ContentDigest;
  /** Runs the fetch within the limits of the project, and gives it what opens the content, verified. */
  within(fetch: (open: OpenContent) => Promise<void>): Promise<void>;
  /** Keeps the content. */
  store(content: Readable): Promise<void>;
}

interface Flight {
  readonly spool: Promise<BlobSpool>;
}

/**
 * Fetches blobs once, however many ask: whoever asks reads from the beginning, at its own pace, while the blob
 * arrives and is stored. A client that goes away does not end it: what has begun to come is kept.
 */
export class BlobFetcher implements AsyncDisposable {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #flights = new Map<string, Flight>();
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(options: { readonly directory: string; readonly logger: Logger }) {
    this.#directory = options.directory;
    this.#logger = options.logger;
  }

  /** The content of the fetch under way, or of a new one. */
  async fetch(job: FetchJob): Promise<Readable> {
    this.#ended.signal.throwIfAborted();
    const flight = this.#flights.get(job.key) ?? this.#begin(job);
    return (await flight.spool).read();
  }

  /** Ends all fetches. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#running);
  }

  #begin(job: FetchJob): Flight {
    const opened = Promise.withResolvers<BlobSpool>();
    const flight = { spool: opened.promise };
    this.#flights.set(job.key, flight);
    const run = this.#run(job, opened)
      .catch((error: unknown) => {
        opened.reject(error);
        this.#logger.warn('A blob could not be cached', { digest: job.digest, error: describeError(error) });
      })
      .finally(() => {
        this.#flights.delete(job.key);
        this.#running.delete(run);
      });
    this.#running.add(run);
    return flight;
  }

  async #run(job: FetchJob, opened: PromiseWithResolvers<BlobSpool>): Promise<void> {
    await job.within(async (open) => {
      await using spool = await BlobSpool.create(this.#directory);
      const stored = job.store(spool.read());
      stored.catch(() => undefined);
      opened.resolve(spool);
      await spool.write(open(this.#ended.signal));
      await stored;
    });
  }
}
