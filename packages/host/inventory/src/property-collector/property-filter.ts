import { isDeepStrictEqual } from 'node:util';
import {
  type ManagedObjectReference,
  type MissingProperty,
  type ObjectUpdate,
  type PropertyChange,
  type PropertyFilterSpec,
} from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Changes } from '../model/changes.ts';
import { ManagedObject, keyOf } from '../model/managed-object.ts';
import { type PropertyValue, invalidProperty, onWire, propertyValue, topLevelOf } from './property-value.ts';
import { type Reader, type Selection, checkSpec, pathsFor, select } from './selection.ts';

interface Reported {
  readonly object: ManagedObject;
  readonly values: Map<string, PropertyValue>;
}

/**
 * One filter of a property collector: it knows what its client has been told, and which objects were
 * touched since, so that a change costs what it changed and not the size of the inventory.
 */
export class PropertyFilter extends ManagedObject {
  readonly #spec: PropertyFilterSpec;
  readonly #partialUpdates: boolean;
  readonly #reader: Reader;
  readonly #onDestroy: (filter: PropertyFilter) => void;
  readonly #paths = new Map<string, readonly string[]>();
  readonly #reported = new Map<string, Reported>();
  readonly #dirty = new Map<string, Set<string>>();
  #traversed: Selection['traversed'] = new Map();
  #selectionIsDirty = true;

  constructor(
    value: string,
    changes: Changes,
    init: {
      spec: PropertyFilterSpec;
      partialUpdates: boolean;
      reader: Reader;
      onDestroy: (filter: PropertyFilter) => void;
    },
  ) {
    super('PropertyFilter', value, changes);
    this.#spec = init.spec;
    this.#partialUpdates = init.partialUpdates;
    this.#reader = init.reader;
    this.#onDestroy = init.onDestroy;
    checkSpec(init.spec);
    // A filter on an object that does not exist is refused when it is made.
    select(init.spec, init.reader);
  }

  protected readonly properties = {
    spec: () => this.#spec,
    partialUpdates: () => this.#partialUpdates,
  };

  readonly handlers: Handlers<PropertyFilter> = propertyFilterHandlers;

  /** Destroys the filter. */
  destroy(): void {
    this.#onDestroy(this);
  }

  /** Notes a change; gives whether it may concern this filter. */
  noteChange(ref: ManagedObjectReference, properties: readonly string[]): boolean {
    const key = keyOf(ref);
    const followed = this.#traversed.get(key);
    const reselect = followed !== undefined && properties.some((property) => followed.has(property));
    if (reselect) this.#selectionIsDirty = true;
    if (!this.#reported.has(key)) return reselect;
    const dirty = this.#dirty.getOrInsertComputed(key, () => new Set<string>());
    for (const property of properties) dirty.add(property);
    return true;
  }

  /** Forgets what was reported, so that everything is reported again. */
  reset(): void {
    this.#reported.clear();
    this.#dirty.clear();
    this.#selectionIsDirty = true;
  }

  /** What has changed since the last time. */
  collect(): ObjectUpdate[] {
    const updates: ObjectUpdate[] = [];
    if (this.#selectionIsDirty) updates.push(...this.#reselect());
    for (const [key, properties] of this.#dirty) {
      const reported = this.#reported.get(key);
      const update = reported === undefined ? undefined : this.#compare(reported, properties);
      if (update !== undefined) updates.push(update);
    }
    this.#dirty.clear();
    return updates;
  }

  #reselect(): ObjectUpdate[] {
    const updates: ObjectUpdate[] = [];
    const selection = select(this.#spec, this.#reader);
    for (const [key, { object }] of this.#reported) {
      if (selection.objects.has(key)) continue;
      this.#reported.delete(key);
      this.#dirty.delete(key);
      updates.push({ kind: 'leave', obj: object.ref });
    }
    for (const [key, object] of selection.objects) {
      if (this.#reported.has(key)) continue;
      this.#dirty.delete(key);
      updates.push(this.#enter(key, object));
    }
    this.#traversed = selection.traversed;
    this.#selectionIsDirty = false;
    return updates;
  }

  #enter(key: string, object: ManagedObject): ObjectUpdate {
    const reported: Reported = { object, values: new Map() };
    this.#reported.set(key, reported);
    const changeSet: PropertyChange[] = [];
    const missingSet: MissingProperty[] = [];
    for (const path of this.#pathsOf(object)) {
      const value = propertyValue(object, path, this.#reader.session);
      reported.values.set(path, value);
      if (value.kind === 'set') changeSet.push({ name: path, op: 'assign', val: onWire(value) });
      else if (value.kind === 'invalid') missingSet.push({ path, fault: invalidProperty(path) });
    }
    return { kind: 'enter', obj: object.ref, changeSet, ...(missingSet.length === 0 ? {} : { missingSet }) };
  }

  #compare({ object, values }: Reported, properties: ReadonlySet<string>): ObjectUpdate | undefined {
    const changeSet: PropertyChange[] = [];
    for (const path of this.#pathsOf(object)) {
      if (!properties.has(topLevelOf(path))) continue;
      const now = propertyValue(object, path, this.#reader.session);
      const before = values.get(path);
      if (isDeepStrictEqual(before, now)) continue;
      values.set(path, now);
      if (now.kind === 'set') changeSet.push({ name: path, op: 'assign', val: onWire(now) });
      else changeSet.push({ name: path, op: 'indirectRemove' });
    }
    return changeSet.length === 0 ? undefined : { kind: 'modify', obj: object.ref, changeSet };
  }

  #pathsOf(object: ManagedObject): readonly string[] {
    return this.#paths.getOrInsertComputed(object.ref.type, (type) => pathsFor(this.#spec, type));
  }
}

const propertyFilterHandlers: Handlers<PropertyFilter> = {
  DestroyPropertyFilter: (filter) => {
    filter.destroy();
    return undefined;
  },
};
