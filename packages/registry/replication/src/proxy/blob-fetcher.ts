import type { Readable } from 'node:stream';
import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { ContentDigest } from '@vic/oci';
import { BlobSpool } from './blob-spool.ts';

/** Opens the content of a blob at its upstream. */
export type OpenContent = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** Opens the content of a blob from its beginning. */
export type ReadContent = () => Readable | Promise<Readable>;

/** A blob to be fetched from an upstream and kept. */
export interface FetchJob {
  /** Names the blob and its place: one fetch at a time has it. */
  readonly key: string;
  readonly digest: ContentDigest;
  /** What reads the content where it has come since it was asked for; `undefined` when it has to be fetched. */
  kept(): Promise<ReadContent | undefined>;
  /** Runs the fetch within the limits of the project, and gives it what opens the content, verified. */
  within(fetch: (open: OpenContent) => Promise<void>): Promise<void>;
  /** Keeps the content. */
  store(content: Readable): Promise<void>;
}

interface Flight {
  readonly job: FetchJob;
  readonly opening: PromiseWithResolvers<ReadContent>;
  /** Set once the content can be read. */
  read?: ReadContent;
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
    // Not a moment later where it is open: the fetch may be about to end, and its spool with it.
    const read = flight.read ?? (await flight.opening.promise);
    return read();
  }

  /** Ends all fetches. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#running);
  }

  #begin(job: FetchJob): Flight {
    const flight: Flight = { job, opening: Promise.withResolvers() };
    this.#flights.set(job.key, flight);
    const run = this.#run(flight)
      .catch((error: unknown) => {
        flight.opening.reject(error);
        this.#logger.warn('A blob could not be cached', { digest: job.digest, error: describeError(error) });
      })
      .finally(() => {
        this.#leave(flight);
        this.#running.delete(run);
      });
    this.#running.add(run);
    return flight;
  }

  async #run(flight: Flight): Promise<void> {
    const { job } = flight;
    // The fetch that was under way when this client looked for the blob may have ended before it got here.
    const kept = await job.kept();
    if (kept !== undefined) return open(flight, kept);
    await job.within(async (openContent) => {
      await using spool = await BlobSpool.create(this.#directory);
      try {
        const stored = job.store(spool.read());
        stored.catch(() => undefined);
        open(flight, () => spool.read());
        await spool.write(openContent(this.#ended.signal));
        await stored;
      } finally {
        // Nobody may come for the spool while it is closed.
        this.#leave(flight);
      }
    });
  }

  #leave(flight: Flight): void {
    if (this.#flights.get(flight.job.key) === flight) this.#flights.delete(flight.job.key);
  }
}

function open(flight: Flight, read: ReadContent): void {
  flight.read = read;
  flight.opening.resolve(read);
}
