import { join } from 'node:path';
import type { Logger } from '@vic/log';
import { type Event, type TypedData, dataTypeNames, isDataSubtype } from '@vic/vim';
import { decodeEvent, encodeEvent } from './event-line.ts';
import { LineFile, readLines } from './line-file.ts';

/** An event that happened, with its type named. */
export type LoggedEvent = Event & Required<TypedData>;

/** An event before it gets its number and time. */
export type NewEvent = Omit<Event, 'key' | 'chainId' | 'createdTime'> & Required<TypedData>;

/** How many events are remembered. */
const KEPT_EVENTS = 5000;

/**
 * The events of the host, numbered from one, kept in two files: the newer one becomes the older when it has as many
 * events as are remembered. What a file cannot take is still in memory; events are no reason to stop.
 */
export class EventLog implements AsyncDisposable {
  readonly #events: LoggedEvent[];
  readonly #listeners = new Set<(event: LoggedEvent) => void>();
  readonly #file: LineFile;
  readonly #oldPath: string;
  readonly #now: () => Date;
  readonly #logger: Logger;
  #lastKey: number;
  #inFile: number;

  private constructor(
    kept: { readonly events: LoggedEvent[]; readonly file: LineFile; readonly inFile: number },
    oldPath: string,
    now: () => Date,
    logger: Logger,
  ) {
    this.#events = kept.events;
    this.#file = kept.file;
    this.#inFile = kept.inFile;
    this.#oldPath = oldPath;
    this.#now = now;
    this.#logger = logger;
    this.#lastKey = this.#events.reduce((last, { key }) => Math.max(last, key), 0);
  }

  /** Opens the log in a directory; what of it cannot be read is left out. */
  static async open(directory: string, now: () => Date, logger: Logger): Promise<EventLog> {
    const oldPath = join(directory, 'events.old.log');
    const old = await readLines(oldPath, { truncateTail: false });
    const { file, lines } = await LineFile.open(join(directory, 'events.log'));
    const events = [...old, ...lines].map(decodeEvent).filter((event) => event !== undefined);
    const kept = { events: events.slice(-KEPT_EVENTS), file, inFile: lines.length };
    return new EventLog(kept, oldPath, now, logger);
  }

  /** The events still remembered, oldest first. */
  get events(): readonly LoggedEvent[] {
    return this.#events;
  }

  /** Records an event and tells the listeners. */
  post(event: NewEvent): LoggedEvent {
    const key = ++this.#lastKey;
    const logged = { ...event, key, chainId: key, createdTime: this.#now() } as LoggedEvent;
    this.#events.push(logged);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    this.#keep(logged).catch((error: unknown) =>
      this.#logger.error('An event cannot be written down', { error: String(error) }),
    );
    for (const listener of this.#listeners) listener(logged);
    return logged;
  }

  /** Calls `listener` for every event until the returned function is called. */
  onEvent(listener: (event: LoggedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  async #keep(event: LoggedEvent): Promise<void> {
    const isFull = this.#inFile >= KEPT_EVENTS;
    this.#inFile = isFull ? 1 : this.#inFile + 1;
    if (isFull) await Promise.all([this.#file.startOver(this.#oldPath), this.#file.append(encodeEvent(event))]);
    else await this.#file.append(encodeEvent(event));
  }
}

/** The names of all event types. */
export function eventTypeNames(): readonly string[] {
  return dataTypeNames().filter((name) => isDataSubtype(name, 'Event'));
}
