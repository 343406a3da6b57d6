import { mapLimit } from '@vic/async';
import { isVicError } from '@vic/errors';
import { dateToNs, parseFilters, parseMoment } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { labelsOf } from './container-record.ts';

/** Machines removed at the same time. */
const PARALLEL_REMOVALS = 4;

/** `POST /containers/prune`: removes what does not run. */
export async function pruneContainers(context: PersonalityContext, call: Call): Promise<void> {
  const filters = parseFilters(call.query('filters'), ['label', 'label!', 'until']);
  const untilNs = parseMoment(filters.get('until')[0], context.clock());
  const doomed = context.execution.list().filter((container) => isPrunable(container) && wanted(container));
  function wanted(container: Container): boolean {
    const labels = labelsOf(container);
    const isOld = untilNs === undefined || dateToNs(new Date(container.createdAt)) < untilNs;
    return (
      isOld &&
      filters.matchesLabels('label', labels) &&
      (!filters.has('label!') || !filters.matchesLabels('label!', labels))
    );
  }
  const removed = await mapLimit(doomed, PARALLEL_REMOVALS, async ({ config }) => {
    try {
      await context.execution.remove(config.id, { force: false }, call.signal);
      return config.id;
    } catch (error) {
      // Started or removed by someone else since it was listed.
      if (isVicError(error, { class: 'Conflict' }) || isVicError(error, { class: 'NotFound' })) return undefined;
      throw error;
    }
  });
  const ids = removed.filter((id) => id !== undefined);
  context.events.publish('container', 'prune', { id: '', attributes: { reclaimed: '0' } });
  call.json(200, { ContainersDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: 0 });
}

function isPrunable({ state }: Container): boolean {
  return state.status === 'created' || state.status === 'exited';
}
