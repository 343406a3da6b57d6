import type { VersionOrder } from '../versions/compare-versions.ts';
import type { AdvisoryEvent, PackageAdvisory } from './advisory.ts';

/** Whether, and until which version, an advisory is about a version. */
export interface Verdict {
  readonly affected: boolean;
  /** The first version that is not affected any more, when there is one. */
  readonly fixedIn: string | undefined;
}

/** Decides about a version as OSV's schema says ("Evaluation"): a listed version, or one inside of a range. */
export function judgeVersion(
  version: string,
  advisory: Pick<PackageAdvisory, 'ranges' | 'versions'>,
  order: VersionOrder,
): Verdict {
  const listed = advisory.versions.includes(version);
  const affected = listed || advisory.ranges.some((events) => inRange(version, events, order));
  return { affected, fixedIn: affected ? nextFix(version, advisory.ranges, order) : undefined };
}

/** Whether a version is inside of one range. */
export function inRange(version: string, events: readonly AdvisoryEvent[], order: VersionOrder): boolean {
  let inside = false;
  for (const event of events.toSorted((a, b) => compareEvents(a, b, order))) {
    const position = compareTo(event, version, order);
    if ('introduced' in event && position <= 0) inside = true;
    else if ('fixed' in event && position <= 0) inside = false;
    else if ('lastAffected' in event && position < 0) inside = false;
    else if ('limit' in event && position <= 0) inside = false;
  }
  return inside;
}

function nextFix(version: string, ranges: PackageAdvisory['ranges'], order: VersionOrder): string | undefined {
  return ranges
    .flat()
    .flatMap((event) => ('fixed' in event && order(event.fixed, version) > 0 ? [event.fixed] : []))
    .toSorted(order)[0];
}

function versionOf(event: AdvisoryEvent): string {
  if ('introduced' in event) return event.introduced;
  if ('fixed' in event) return event.fixed;
  return 'lastAffected' in event ? event.lastAffected : event.limit;
}

/** `0` stands before every version; a limit of `*` behind. */
function compareTo(event: AdvisoryEvent, version: string, order: VersionOrder): number {
  const at = versionOf(event);
  if ('introduced' in event && at === '0') return -1;
  if ('limit' in event && at === '*') return 1;
  return order(at, version);
}

function compareEvents(a: AdvisoryEvent, b: AdvisoryEvent, order: VersionOrder): number {
  const [x, y] = [versionOf(a), versionOf(b)];
  if (x === '0' && 'introduced' in a) return y === '0' && 'introduced' in b ? 0 : -1;
  if (y === '0' && 'introduced' in b) return 1;
  return order(x, y) || Number('introduced' in b) - Number('introduced' in a);
}
