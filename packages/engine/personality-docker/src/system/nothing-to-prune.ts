import { parseFilters } from '@vic/docker-api';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';

/*
 * A VCH has no networks, volumes or build caches that could be pruned. Its answer is that of an engine that finds none,
 * because `docker system prune` asks for all of them and would stop at the first refusal.
 */

const BUILD_FILTERS = [
  'description',
  'id',
  'inuse',
  'label',
  'label!',
  'mutable',
  'parent',
  'private',
  'shared',
  'type',
  'unused-for',
  'until',
];

/** `POST /networks/prune`: those of a VCH are the infrastructure's. */
export function pruneNetworks(_: PersonalityContext, call: Call): void {
  parseFilters(call.query('filters'), ['label', 'label!', 'until']);
  call.json(200, { NetworksDeleted: null });
}

/** `POST /volumes/prune`: an image's volumes live in their container. */
export function pruneVolumes(_: PersonalityContext, call: Call): void {
  parseFilters(call.query('filters'), ['all', 'label', 'label!']);
  call.json(200, { VolumesDeleted: null, SpaceReclaimed: 0 });
}

/** `POST /build/prune`: nothing is built here. */
export function pruneBuildCache(_: PersonalityContext, call: Call): void {
  parseFilters(call.query('filters'), BUILD_FILTERS);
  call.json(200, { CachesDeleted: null, SpaceReclaimed: 0 });
}
