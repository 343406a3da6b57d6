import {
  type ObjectContent,
  type PropertyFilterRef,
  type PropertyFilterSpec,
  type PropertyFilterUpdate,
  type RetrieveResult,
  type UpdateSet,
  type WaitOptions,
  VimFault,
  make,
} from '@vic/vim';
import { randomUuid } from '@vic/ids';
import type { Call, Handlers } from '../model/call.ts';
import type { Changes } from '../model/changes.ts';
import { invalidArgument } from '../model/faults.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { PropertyFilter } from '../property-collector/property-filter.ts';
import { retrieve } from '../property-collector/retrieve.ts';
import type { Reader } from '../property-collector/selection.ts';
import type { Session } from '../server/sessions.ts';

/** How long a client may wait without asking for it; proxies end connections that are silent for longer. */
const DEFAULT_WAIT_SECONDS = 1800;
const MAX_PAGED_RESULTS = 100;

/** A property collector of one session: filters, versions, and clients that wait for changes. */
export class PropertyCollector extends ManagedObject implements Disposable {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #changes: Changes;
  readonly #filters = new Set<PropertyFilter>();
  readonly #pages = new Map<string, { readonly rest: ObjectContent[]; readonly size: number }>();
  readonly #unsubscribe: () => void;
  #version = 0;
  /** The last answer, given again to a client that asks again because it lost it. */
  #last: { readonly from: string; readonly set: UpdateSet } | undefined;
  #wake = Promise.withResolvers<void>();
  #cancel = new AbortController();

  constructor(value: string, changes: Changes, session: Session, reader: Reader) {
    super('PropertyCollector', value, changes);
    this.#session = session;
    this.#reader = reader;
    this.#changes = changes;
    this.#unsubscribe = changes.subscribe((ref, properties) => {
      let concerned = false;
      for (const filter of this.#filters) concerned = filter.noteChange(ref, properties) || concerned;
      if (concerned) this.#wakeUp();
    });
  }

  protected readonly properties = {
    filter: () => [...this.#filters].map((filter) => filter.ref),
  };

  readonly handlers: Handlers<PropertyCollector> = propertyCollectorHandlers;

  /** Another collector for the same session. */
  createCollector(): PropertyCollector {
    return this.#session.add(
      new PropertyCollector(`session[${this.#session.key}]${randomUuid()}`, this.#changes, this.#session, this.#reader),
    );
  }

  /** Removes the collector from its session. */
  destroy(): void {
    this.#session.remove(this);
  }

  createFilter(spec: PropertyFilterSpec, partialUpdates: boolean): PropertyFilterRef {
    const filter = new PropertyFilter(`session[${this.#session.key}]${randomUuid()}`, this.#changes, {
      spec,
      partialUpdates,
      reader: this.#reader,
      onDestroy: (destroyed) => this.#forget(destroyed),
    });
    this.#filters.add(this.#session.add(filter));
    this.touch('filter');
    this.#wakeUp();
    return filter.ref as PropertyFilterRef;
  }

  /** Ends the wait that is under way. */
  cancelWait(): void {
    this.#cancel.abort(new VimFault({ fault: make('RequestCanceled', {}), message: 'The wait was cancelled.' }));
    this.#cancel = new AbortController();
  }

  /** The changes since `version`, waiting for some; `undefined` when none came in time. */
  async waitForUpdates(version: string, options: WaitOptions, call: Call): Promise<UpdateSet | undefined> {
    const repeated = this.#position(version);
    if (repeated !== undefined) return repeated;
    const seconds = options.maxWaitSeconds ?? DEFAULT_WAIT_SECONDS;
    if (seconds < 0) throw invalidArgument('options.maxWaitSeconds', 'The time to wait cannot be negative.');
    const timeout = AbortSignal.timeout(Math.min(seconds, DEFAULT_WAIT_SECONDS) * 1000);
    const stop = AbortSignal.any([call.signal, this.#cancel.signal, this.#session.ended]);
    for (;;) {
      const woken = this.#wake.promise;
      const set = this.#collect(version);
      if (set !== undefined) return set;
      if (seconds === 0 || timeout.aborted) return undefined;
      await anyOf(woken, AbortSignal.any([timeout, stop]));
      stop.throwIfAborted();
    }
  }

  /** One page of a result, with a token for the next. */
  page(all: ObjectContent[], maxObjects: number | undefined): RetrieveResult | undefined {
    if (maxObjects !== undefined && maxObjects <= 0)
      throw invalidArgument('options.maxObjects', 'At least one object must be asked for.');
    if (all.length === 0) return undefined;
    if (maxObjects === undefined || all.length <= maxObjects) return { objects: all };
    const token = randomUuid();
    this.#pages.set(token, { rest: all.slice(maxObjects), size: maxObjects });
    for (const oldest of this.#pages.keys()) if (this.#pages.size > MAX_PAGED_RESULTS) this.#pages.delete(oldest);
    return { token, objects: all.slice(0, maxObjects) };
  }

  /** The page that a token stands for. */
  nextPage(token: string): RetrieveResult {
    const page = this.#takePage(token);
    const result = this.page(page.rest, page.size);
    if (result === undefined) throw invalidArgument('token', 'There is no such result.');
    return result;
  }

  /** Gives up the rest of a result. */
  cancelPages(token: string): void {
    this.#takePage(token);
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.cancelWait();
    for (const filter of this.#filters) this.#session.remove(filter);
    this.#filters.clear();
  }

  get reader(): Reader {
    return this.#reader;
  }

  #takePage(token: string): { readonly rest: ObjectContent[]; readonly size: number } {
    const page = this.#pages.get(token);
    if (page === undefined) throw invalidArgument('token', 'There is no such result.');
    this.#pages.delete(token);
    return page;
  }

  /** Brings the collector to a version; gives the answer of last time when that version is asked for again. */
  #position(version: string): UpdateSet | undefined {
    if (version === '') {
      for (const filter of this.#filters) filter.reset();
      this.#last = undefined;
      return undefined;
    }
    if (version === this.#last?.from) return this.#last.set;
    if (version === String(this.#version)) return undefined;
    throw new VimFault({
      fault: make('InvalidCollectorVersion', {}),
      message: `The version ${version.slice(0, 40)} is not known.`,
    });
  }

  #collect(version: string): UpdateSet | undefined {
    const filterSet: PropertyFilterUpdate[] = [];
    for (const filter of this.#filters) {
      const objectSet = filter.collect();
      if (objectSet.length > 0) filterSet.push({ filter: filter.ref as PropertyFilterRef, objectSet });
    }
    if (filterSet.length === 0) return undefined;
    const set = { version: String(++this.#version), filterSet, truncated: false };
    this.#last = { from: version, set };
    return set;
  }

  #forget(filter: PropertyFilter): void {
    this.#filters.delete(filter);
    this.#session.remove(filter);
    this.touch('filter');
  }

  #wakeUp(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

async function anyOf(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener('abort', onAbort);
}

const propertyCollectorHandlers: Handlers<PropertyCollector> = {
  RetrieveProperties: (collector, { specSet }) => retrieve(specSet, collector.reader),
  RetrievePropertiesEx: (collector, { specSet, options }) =>
    collector.page(retrieve(specSet, collector.reader), options.maxObjects),
  ContinueRetrievePropertiesEx: (collector, { token }) => collector.nextPage(token),
  CancelRetrievePropertiesEx: (collector, { token }) => {
    collector.cancelPages(token);
    return undefined;
  },
  CreateFilter: (collector, { spec, partialUpdates }) => collector.createFilter(spec, partialUpdates),
  CreatePropertyCollector: (collector) =>
    collector.createCollector().ref as { type: 'PropertyCollector'; value: string },
  DestroyPropertyCollector: (collector) => {
    collector.destroy();
    return undefined;
  },
  WaitForUpdatesEx: async (collector, { version, options }, call) =>
    collector.waitForUpdates(version ?? '', options ?? {}, call),
  WaitForUpdates: async (collector, { version }, call) => {
    for (;;) {
      const set = await collector.waitForUpdates(version ?? '', {}, call);
      if (set !== undefined) return set;
    }
  },
  CheckForUpdates: async (collector, { version }, call) =>
    collector.waitForUpdates(version ?? '', { maxWaitSeconds: 0 }, call),
  CancelWaitForUpdates: (collector) => {
    collector.cancelWait();
    return undefined;
  },
};
