import { delay } from '@vic/async';
import { isVicError } from '@vic/errors';
import {
  isFault,
  type ManagedObjectReference,
  type ObjectUpdate,
  type PropertyFilterSpec,
  type UpdateSet,
} from '@vic/vim';
import type { VimCaller } from './vim-client.ts';

/** What became of one object. */
export interface ObjectChange {
  /**
   * `enter`: it is now selected, and `properties` holds everything asked for; also sent for objects already known
   * after the watch had to start anew. `modify`: `properties` holds what changed. `leave`: it is no longer selected.
   */
  readonly kind: 'enter' | 'modify' | 'leave';
  readonly ref: ManagedObjectReference;
  /** New values by path; a path that became unset is there with `undefined`. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** How to watch. */
export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Short enough for proxies and for a lost connection to be noticed, long enough to cost nothing. */
const MAX_WAIT_SECONDS = 20;
const WAIT_TIMEOUT_MS = 60_000;
/** A page of updates; the rest follows at once. */
const MAX_OBJECT_UPDATES = 500;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/**
 * What changes in the objects that a filter selects, beginning with all of them, until the signal fires.
 *
 * It survives the loss of the session, a stale version and a server that is away: it then starts anew, and reports
 * what left in between. Other faults are thrown.
 */
export async function* watch(
  client: VimCaller,
  spec: PropertyFilterSpec,
  options: WatchOptions = {},
): AsyncGenerator<readonly ObjectChange[], void, undefined> {
  const known = new Map<string, ManagedObjectReference>();
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    try {
      for await (const changes of watchOnce(client, spec, known, options.signal)) {
        pauseMs = FIRST_PAUSE_MS;
        if (changes.length > 0) yield changes;
      }
      return;
    } catch (error) {
      if (options.signal?.aborted === true) return;
      if (!isLossOfCollector(error)) throw error;
    }
    if (!(await pause(pauseMs, options.signal))) return;
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Watches with one collector for as long as that lives; ends when the signal fires. */
async function* watchOnce(
  client: VimCaller,
  spec: PropertyFilterSpec,
  known: Map<string, ManagedObjectReference>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ObjectChange[], void, undefined> {
  const collector = await client.call(client.content.propertyCollector, 'CreatePropertyCollector', {}, { signal });
  try {
    await client.call(collector, 'CreateFilter', { spec, partialUpdates: false }, { signal });
    const missing = new Map(known);
    let version = '';
    let isComplete = false;
    while (signal?.aborted !== true) {
      const update = await nextUpdate(client, collector, version, signal);
      const changes = (update?.filterSet ?? []).flatMap((filter) => filter.objectSet ?? []).map(changeOf);
      for (const change of changes) {
        const key = keyOf(change.ref);
        missing.delete(key);
        if (change.kind === 'leave') known.delete(key);
        else known.set(key, change.ref);
      }
      if (!isComplete && update?.truncated !== true) {
        isComplete = true;
        for (const key of missing.keys()) known.delete(key);
        changes.push(...[...missing.values()].map((ref) => ({ kind: 'leave' as const, ref, properties: {} })));
      }
      version = update?.version ?? version;
      yield changes;
    }
  } finally {
    // The collector may be gone with its session, or the server away; it would die with the session anyway.
    await client
      .call(collector, 'DestroyPropertyCollector', {}, { timeoutMs: LONGEST_PAUSE_MS })
      .catch(() => undefined);
  }
}

async function nextUpdate(
  client: VimCaller,
  collector: ManagedObjectReference,
  version: string,
  signal: AbortSignal | undefined,
): Promise<UpdateSet | undefined> {
  const options = { maxWaitSeconds: MAX_WAIT_SECONDS, maxObjectUpdates: MAX_OBJECT_UPDATES };
  return client.call(collector, 'WaitForUpdatesEx', { version, options }, { signal, timeoutMs: WAIT_TIMEOUT_MS });
}

function changeOf(update: ObjectUpdate): ObjectChange {
  const values = (update.changeSet ?? []).map((change) => [change.name, change.val] as const);
  return { kind: update.kind, ref: update.obj, properties: Object.fromEntries(values) };
}

function keyOf(ref: ManagedObjectReference): string {
  return `${ref.type}:${ref.value}`;
}

/** The collector or the whole session is gone, the version is stale, or the server is away for a while. */
function isLossOfCollector(error: unknown): boolean {
  return (
    isFault(error, 'InvalidCollectorVersion') ||
    isCollectorNotFound(error) ||
    isVicError(error, { class: 'Unavailable' }) ||
    isVicError(error, { class: 'DeadlineExceeded' })
  );
}

/** Objects of the filter may be gone too, and then starting anew would go on for ever. */
function isCollectorNotFound(error: unknown): boolean {
  return isFault(error, 'ManagedObjectNotFound') && /^Property(Collector|Filter)$/.test(error.fault.obj.type);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await delay(ms, signal);
    return true;
  } catch {
    return false;
  }
}
