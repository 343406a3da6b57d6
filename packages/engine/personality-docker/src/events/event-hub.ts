import { Broadcast } from '@vic/async';
import type { EventMessage } from '@vic/docker-api';
import type { Logger } from '@vic/log';
import type { Execution } from '@vic/port-layer';
import { isVicError } from '@vic/errors';
import { dockerEventsOf } from './docker-event.ts';

/** An event with its exact time; the wire's `timeNano` does not fit a JavaScript number. */
export interface TimedEvent {
  readonly timeNs: bigint;
  readonly message: Omit<EventMessage, 'time' | 'timeNano'>;
}

/** How many past events `since` can reach back to; dockerd keeps as many. */
const HISTORY_LENGTH = 256;

/** Everything that happens in the VCH as Docker events: those of the port layer and those of the API itself. */
export class EventHub implements AsyncDisposable {
  readonly #broadcast = new Broadcast<TimedEvent>();
  readonly #history: TimedEvent[] = [];
  readonly #stop = new AbortController();
  readonly #clock: () => bigint;
  readonly #pump: Promise<void>;
  #listeners = 0;

  constructor(deps: { readonly execution: Execution; readonly clock: () => bigint; readonly logger: Logger }) {
    this.#clock = deps.clock;
    this.#pump = this.#follow(deps.execution, deps.logger);
  }

  /** How many clients listen now. */
  get listeners(): number {
    return this.#listeners;
  }

  /** Publishes an event of the API itself. */
  publish(
    type: string,
    action: string,
    actor: { readonly id: string; readonly attributes: Readonly<Record<string, string>> },
  ): void {
    const legacy = type === 'image' ? { status: action, id: actor.id } : {};
    this.#record({
      timeNs: this.#clock(),
      message: {
        ...legacy,
        Type: type,
        Action: action,
        Actor: { ID: actor.id, Attributes: actor.attributes },
        scope: 'local',
      },
    });
  }

  /** Publishes an event of a container. */
  publishTimed(event: TimedEvent): void {
    this.#record(event);
  }

  /** The history from `sinceNs`, when given, then everything until the signal fires. */
  async *subscribe(sinceNs: bigint | undefined, signal: AbortSignal): AsyncGenerator<TimedEvent, void, undefined> {
    const queue = this.#broadcast.subscribe(signal);
    this.#listeners++;
    try {
      const past = sinceNs === undefined ? [] : this.#history.filter((event) => event.timeNs >= sinceNs);
      yield* past;
      yield* queue;
    } finally {
      this.#listeners--;
    }
  }

  /** The past events from `sinceNs` to `untilNs`. */
  past(sinceNs: bigint | undefined, untilNs: bigint): readonly TimedEvent[] {
    if (sinceNs === undefined) return [];
    return this.#history.filter((event) => event.timeNs >= sinceNs && event.timeNs <= untilNs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#broadcast.close();
    await this.#pump;
  }

  #record(event: TimedEvent): void {
    this.#history.push(event);
    if (this.#history.length > HISTORY_LENGTH) this.#history.shift();
    this.#broadcast.publish(event);
  }

  async #follow(execution: Execution, logger: Logger): Promise<void> {
    try {
      for await (const event of execution.events(this.#stop.signal)) {
        for (const message of dockerEventsOf(event, execution)) this.#record({ timeNs: event.timeNs, message });
      }
    } catch (error) {
      if (this.#stop.signal.aborted || isVicError(error, { class: 'Cancelled' })) return;
      logger.error('Events of the port layer stopped', { error: String(error) });
    }
  }
}

/** The JSON line of an event. */
export function encodeEvent(event: TimedEvent): string {
  const seconds = event.timeNs / 1_000_000_000n;
  return `${JSON.stringify(event.message).slice(0, -1)},"time":${seconds},"timeNano":${event.timeNs}}\n`;
}
