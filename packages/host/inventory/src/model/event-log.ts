import { type Event, type TypedData, dataTypeNames, isDataSubtype } from '@vic/vim';

/** An event that happened, with its type named. */
export type LoggedEvent = Event & Required<TypedData>;

/** An event before it gets its number and time. */
export type NewEvent = Omit<Event, 'key' | 'chainId' | 'createdTime'> & Required<TypedData>;

/** How many events are remembered. */
const KEPT_EVENTS = 5000;

/** The events of the host, numbered from one. */
export class EventLog {
  readonly #events: LoggedEvent[] = [];
  readonly #listeners = new Set<(event: LoggedEvent) => void>();
  readonly #now: () => Date;
  #lastKey = 0;

  constructor(now: () => Date) {
    this.#now = now;
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
    for (const listener of this.#listeners) listener(logged);
    return logged;
  }

  /** Calls `listener` for every event until the returned function is called. */
  onEvent(listener: (event: LoggedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The names of all event types. */
export function eventTypeNames(): readonly string[] {
  return dataTypeNames().filter((name) => isDataSubtype(name, 'Event'));
}
