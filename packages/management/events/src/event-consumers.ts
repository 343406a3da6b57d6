import { delay, withDeadline } from '@vic/async';
import { describeError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { Database } from '@vic/sql';
import { ConsumerCursor } from './consumer-cursor.ts';
import type { ConsumerLag, EventConsumer } from './event-consumer.ts';
import { readLag } from './read-lag.ts';
import { sequenceEvents } from './sequence-events.ts';
import { readEvents } from './stored-event.ts';
import { trimEvents } from './trim-events.ts';

/** Options of {@link EventConsumers}. */
export interface EventConsumersOptions {
  /** How often events of other processes are looked for; those of this one are noticed at once. 500 ms. */
  readonly pollMs?: number;
  /** How long events are kept at least. 1 day. */
  readonly retentionMs?: number;
  /** The first pause after a failure; it doubles up to 64 times this. 1 s. */
  readonly retryMs?: number;
}

const DEFAULT_POLL_MS = 500;
const DEFAULT_RETENTION_MS = 24 * 60 * 60 * 1000;
const DEFAULT_RETRY_MS = 1000;
const MAX_RETRY_DOUBLINGS = 6;
const TRIM_INTERVAL_MS = 10 * 60 * 1000;
/** Commits that follow each other closely are looked at together; the more so while they keep coming. */
const GATHER_MS = 10;
const GATHER_WHILE_BUSY_MS = 100;
const BATCH = 200;
const STOP_TIMEOUT_MS = 20_000;

/** Tells consumers of the events in the outbox, each at its own pace and with a place of its own. */
export class EventConsumers implements AsyncDisposable {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #consumers: readonly EventConsumer[];
  readonly #options: Required<EventConsumersOptions>;
  readonly #owner = randomUuid();
  readonly #stopping = new AbortController();
  readonly #cursors = new Map<string, ConsumerCursor>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #notBefore = new Map<string, number>();
  #loop: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(
    deps: { readonly database: Database; readonly logger: Logger },
    consumers: readonly EventConsumer[],
    options: EventConsumersOptions = {},
  ) {
    this.#database = deps.database;
    this.#logger = deps.logger;
    this.#consumers = consumers;
    this.#options = {
      pollMs: options.pollMs ?? DEFAULT_POLL_MS,
      retentionMs: options.retentionMs ?? DEFAULT_RETENTION_MS,
      retryMs: options.retryMs ?? DEFAULT_RETRY_MS,
    };
  }

  /** Registers the consumers that are new, from the present end on, and starts to tell all of them. */
  async start(): Promise<void> {
    for (const { name } of this.#consumers) await this.#cursor(name).register();
    this.#loop ??= this.#run();
  }

  /** How far each consumer is behind. */
  async lag(): Promise<readonly ConsumerLag[]> {
    return readLag(this.#database.db, Date.now());
  }

  /** Waits until every consumer has handled what is in the outbox now. */
  async drain(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#wake?.();
      const names = new Set(this.#consumers.map(({ name }) => name));
      const behind = (await this.lag()).filter(({ consumer, events }) => names.has(consumer) && events > 0);
      if (behind.length === 0 && this.#working.size === 0) return;
      await delay(GATHER_MS, signal);
    }
  }

  /** Stops, once what consumers are handling is handled or given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#loop;
    // What does not end in time is told again, to whoever takes over.
    const ended = async (): Promise<unknown> => Promise.all(this.#working.values());
    await withDeadline('event consumers to end', STOP_TIMEOUT_MS, ended).catch(() => undefined);
    for (const { name } of this.#consumers)
      await this.#cursor(name)
        .release()
        .catch(() => undefined);
  }

  async #run(): Promise<void> {
    using _subscription = this.#database.afterCommit(() => this.#wake?.());
    let isBusy = false;
    let trimAt = Date.now() + TRIM_INTERVAL_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        isBusy = await this.#look();
        if (Date.now() >= trimAt) {
          trimAt = Date.now() + TRIM_INTERVAL_MS;
          await this.#stayRegistered();
          await trimEvents(this.#database.db, Date.now() - this.#options.retentionMs);
        }
      } catch (error) {
        this.#logger.warn('The outbox could not be read', { error: describeError(error) });
      }
      await this.#untilWoken(isBusy ? GATHER_WHILE_BUSY_MS : GATHER_MS);
    }
  }

  async #stayRegistered(): Promise<void> {
    await this.#database.db
      .updateTable('event_consumer')
      .set({ seen_at: Date.now() })
      .where(
        'name',
        'in',
        this.#consumers.map(({ name }) => name),
      )
      .execute();
  }

  /** Gives out positions, and starts the consumers that have something to do; says whether there was anything. */
  async #look(): Promise<boolean> {
    let isBusy = false;
    while ((await sequenceEvents(this.#database)) > 0) isBusy = true;
    const last = await this.#lastPosition();
    const cursors = await this.#database.db.selectFrom('event_consumer').selectAll().execute();
    for (const consumer of this.#consumers) {
      const cursor = cursors.find(({ name }) => name === consumer.name);
      const isFree = cursor?.lease_owner === this.#owner || (cursor?.lease_until ?? 0) < Date.now();
      const isDue = (this.#notBefore.get(consumer.name) ?? 0) <= Date.now();
      if (cursor === undefined || cursor.position >= last || !isFree || !isDue) continue;
      if (this.#working.has(consumer.name)) continue;
      const work = this.#work(consumer).finally(() => this.#working.delete(consumer.name));
      this.#working.set(consumer.name, work);
    }
    return isBusy;
  }

  async #lastPosition(): Promise<number> {
    const row = await this.#database.db.selectFrom('event_sequence').select('last_position').executeTakeFirst();
    return row?.last_position ?? 0;
  }

  /** Tells one consumer everything there is for it. */
  async #work(consumer: EventConsumer): Promise<void> {
    const cursor = this.#cursor(consumer.name);
    try {
      for (;;) {
        const position = await cursor.acquire();
        if (position === undefined || this.#stopping.signal.aborted) return;
        const events = await readEvents(this.#database.db, position, BATCH);
        const last = events.at(-1);
        if (last === undefined) return;
        await cursor.holding(this.#stopping.signal, async (signal) => consumer.consume(events, signal));
        await cursor.advance(last.position);
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) await this.#failed(consumer, error);
    }
  }

  async #failed(consumer: EventConsumer, error: unknown): Promise<void> {
    const reason = describeError(error);
    this.#logger.warn('An event consumer failed; it will be told again', { consumer: consumer.name, error: reason });
    const failures = await this.#cursor(consumer.name)
      .fail(reason)
      .catch(() => 1);
    const pauseMs = this.#options.retryMs * 2 ** Math.min(failures - 1, MAX_RETRY_DOUBLINGS);
    this.#notBefore.set(consumer.name, Date.now() + pauseMs);
  }

  async #untilWoken(gatherMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.pollMs);
    this.#wake = resolve;
    if (this.#stopping.signal.aborted) resolve();
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
    await delay(gatherMs, this.#stopping.signal).catch(() => undefined);
  }

  #cursor(name: string): ConsumerCursor {
    const cursor = this.#cursors.get(name) ?? new ConsumerCursor(this.#database.db, name, this.#owner);
    this.#cursors.set(name, cursor);
    return cursor;
  }
}
