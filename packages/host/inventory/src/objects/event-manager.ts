import { type Event, type EventHistoryCollectorRef, make } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import { eventMatcher } from '../model/event-matcher.ts';
import { type LoggedEvent, eventTypeNames } from '../model/event-log.ts';
import { notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { requireSession } from '../server/require-session.ts';
import { EventHistoryCollector } from './event-history-collector.ts';

const MAX_QUERIED_EVENTS = 1000;

/** The events of the host. */
export class EventManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('EventManager', WELL_KNOWN.eventManager.value, host.changes);
    this.#host = host;
    host.events.onEvent(() => this.touch('latestEvent'));
  }

  protected readonly properties = {
    latestEvent: () => this.#host.events.events.at(-1),
    maxCollector: () => 1000,
    description: () => ({
      category: ['info', 'warning', 'error', 'user'].map((key) => ({ key, label: key, summary: key })),
      eventInfo: eventTypeNames().map((key) => ({
        key,
        category: 'info',
        formatOnDatacenter: '',
        formatOnComputeResource: '',
        formatOnHost: '',
        formatOnVm: '',
        fullFormat: '',
      })),
    }),
  };

  readonly handlers: Handlers<EventManager> = {
    CreateCollectorForEvents: (_self, { filter }, call) => {
      const session = requireSession(call);
      return session.add(new EventHistoryCollector(this.#host, session, filter)).ref as EventHistoryCollectorRef;
    },
    QueryEvents: (_self, { filter }) => {
      const matching: readonly LoggedEvent[] = this.#host.events.events.filter(
        eventMatcher(filter, this.#host.objects),
      );
      return matching.slice(-Math.min(filter.maxCount ?? MAX_QUERIED_EVENTS, MAX_QUERIED_EVENTS)) as readonly Event[];
    },
    LogUserEvent: (_self, { entity, msg }, call) => {
      const subject = this.#host.objects.get(entity, ManagedEntity);
      if (subject.ref.type !== 'VirtualMachine') throw notSupported('Messages are logged for virtual machines.');
      this.#host.events.post({
        ...make('GeneralUserEvent', {
          key: 0,
          chainId: 0,
          createdTime: this.#host.now(),
          userName: call.userName,
          message: msg.slice(0, 4096),
          entity: { entity, name: subject.name },
          vm: { name: subject.name, vm: { type: 'VirtualMachine', value: entity.value } },
          fullFormattedMessage: msg.slice(0, 4096),
        }),
      });
      return undefined;
    },
  };
}
