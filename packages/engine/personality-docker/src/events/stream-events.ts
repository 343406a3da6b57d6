import { type Filters, parseFilters, parseMoment } from '@vic/docker-api';
import { delay } from '@vic/async';
import type { Call } from '../http/call.ts';
import { invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { pacedWrite } from '../streams/paced-write.ts';
import { type TimedEvent, encodeEvent } from './event-hub.ts';

const KEYS = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
];
const NS_PER_MS = 1_000_000n;
/** Node's timers cannot be set further than this. */
const MAX_TIMER_MS = 2_147_483_647;

/** `GET /events`: past events from `since`, then live ones until `until`. */
export async function streamEvents(context: PersonalityContext, call: Call): Promise<void> {
  const filters = parseFilters(call.query('filters'), KEYS);
  const nowNs = context.clock();
  const sinceNs = parseMoment(call.query('since'), nowNs);
  const untilNs = parseMoment(call.query('until'), nowNs);
  if (sinceNs !== undefined && untilNs !== undefined && sinceNs > untilNs) {
    throw invalid('`since` time cannot be after `until` time');
  }
  const body = call.stream('application/json');
  const end = new AbortController();
  const events =
    untilNs !== undefined && untilNs <= nowNs
      ? context.events.past(sinceNs, untilNs)
      : context.events.subscribe(sinceNs, AbortSignal.any([call.signal, end.signal]));
  if (untilNs !== undefined && untilNs > nowNs) endAt(untilNs - nowNs, end, call.signal);
  for await (const event of events) {
    if (matches(filters, event) && !(await pacedWrite(body, encodeEvent(event)))) break;
  }
  end.abort();
  body.end();
}

function endAt(inNs: bigint, end: AbortController, signal: AbortSignal): void {
  const ms = Math.min(Number(inNs / NS_PER_MS), MAX_TIMER_MS);
  delay(ms, AbortSignal.any([signal, end.signal])).then(
    () => end.abort(),
    () => undefined,
  );
}

function matches(filters: Filters, { message }: TimedEvent): boolean {
  const { ID: id, Attributes: attributes } = message.Actor;
  const action = message.Action;
  const isActor = (type: string, more: readonly string[]): boolean =>
    !filters.has(type) ||
    (message.Type === type &&
      filters.matchesAny(type, (value) =>
        [id, ...more].some((name) => name === value || (name === id && id.startsWith(value))),
      ));
  const name = attributes['name'] ?? '';
  return (
    filters.matchesAny('type', (type) => type === message.Type) &&
    filters.matchesAny('scope', (scope) => scope === message.scope) &&
    // `exec_create: sh` and `health_status: healthy` are also found by their first word.
    filters.matchesAny('event', (event) => event === action || action.startsWith(`${event}:`)) &&
    isActor('container', [name]) &&
    isActor('network', [name]) &&
    isActor('volume', []) &&
    isActor('daemon', [name]) &&
    matchesImage(filters, message.Type, id, attributes) &&
    ['config', 'node', 'plugin', 'secret', 'service'].every((type) => !filters.has(type)) &&
    filters.matchesLabels('label', attributes)
  );
}

/** The image filter also finds events of containers made from the image. */
function matchesImage(
  filters: Filters,
  type: string,
  id: string,
  attributes: Readonly<Record<string, string>>,
): boolean {
  const names =
    type === 'image' ? [id, attributes['name'] ?? ''] : type === 'container' ? [attributes['image'] ?? ''] : [];
  const withoutTag = names.map((name) => name.replace(/:[^:/]*$/, ''));
  return filters.matchesAny('image', (value) => names.includes(value) || withoutTag.includes(value));
}
