import { randomUuid } from '@vic/ids';
import type { EventFilterSpec } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import { eventMatcher } from '../model/event-matcher.ts';
import type { LoggedEvent } from '../model/event-log.ts';
import type { Host } from '../model/host.ts';
import type { Session } from '../server/sessions.ts';
import { HistoryCollector } from './history-collector.ts';

/** Reads the host's events through a filter. */
export class EventHistoryCollector extends HistoryCollector<LoggedEvent> {
  readonly #host: Host;
  readonly #matches: (event: LoggedEvent) => boolean;

  constructor(host: Host, session: Session, filter: EventFilterSpec) {
    super('EventHistoryCollector', `session[${session.key}]${randomUuid()}`, host.changes, session, filter);
    this.#host = host;
    this.#matches = eventMatcher(filter, host.objects);
    this.release = host.events.onEvent((event) => {
      if (this.#matches(event)) this.touch('latestPage');
    });
  }

  readonly handlers: Handlers<EventHistoryCollector> = eventHistoryCollectorHandlers;

  protected override matching(): readonly LoggedEvent[] {
    return this.#host.events.events.filter(this.#matches);
  }

  protected override numberOf(event: LoggedEvent): number {
    return event.key;
  }
}

const eventHistoryCollectorHandlers: Handlers<EventHistoryCollector> = {
  ReadNextEvents: (collector, { maxCount }) => collector.readNext(maxCount),
  ReadPreviousEvents: (collector, { maxCount }) => collector.readPrevious(maxCount),
  RewindCollector: (collector) => collector.rewind(),
  ResetCollector: (collector) => collector.reset(),
  SetCollectorPageSize: (collector, { maxCount }) => collector.setPageSize(maxCount),
  DestroyCollector: (collector) => collector.destroy(),
};
