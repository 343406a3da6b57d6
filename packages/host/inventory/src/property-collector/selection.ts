import {
  type ManagedObjectReference,
  type ObjectSpec,
  type PropertyFilterSpec,
  type SelectionSpec,
  type TraversalSpec,
  isA,
  isManagedSubtype,
  isReference,
  managedTypeMeta,
} from '@vic/vim';
import { invalidArgument, managedObjectNotFound } from '../model/faults.ts';
import { type ManagedObject, keyOf } from '../model/managed-object.ts';
import type { Session } from '../server/sessions.ts';
import { propertyValue, requirePath, topLevelOf } from './property-value.ts';

/** What a selection needs to know about the inventory. */
export interface Reader {
  readonly session: Session | undefined;
  /** The object of a reference, the session's own included. */
  find(ref: ManagedObjectReference): ManagedObject | undefined;
  /** Whether the session's user may see the object. */
  mayRead(object: ManagedObject): boolean;
}

/** What a filter selects at one moment. */
export interface Selection {
  readonly objects: ReadonlyMap<string, ManagedObject>;
  /** Objects the traversal passed through, and the properties it followed. */
  readonly traversed: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Bounds what one hostile specification can make the server do. */
const MAX_SPECS = 200;
const MAX_PATHS = 1000;

/** Throws for property specifications that no object could satisfy. */
export function checkSpec(spec: PropertyFilterSpec): void {
  if (spec.propSet.length + spec.objectSet.length > MAX_SPECS)
    throw invalidArgument('specSet', 'The specification is too large.');
  for (const { type, pathSet } of spec.propSet) {
    if (managedTypeMeta(type) === undefined)
      throw invalidArgument('propSet.type', `There is no managed type ${type.slice(0, 100)}.`);
    if ((pathSet?.length ?? 0) > MAX_PATHS) throw invalidArgument('propSet.pathSet', 'The specification is too large.');
    for (const path of pathSet ?? []) requirePath(type, path);
  }
}

/** The paths a filter asks of objects of a type, without repetition. */
export function pathsFor(spec: PropertyFilterSpec, type: string): readonly string[] {
  const wanted = spec.propSet.filter((set) => isManagedSubtype(type, set.type));
  const paths = wanted.flatMap((set) =>
    set.all === true ? (managedTypeMeta(type)?.properties.map((property) => property.name) ?? []) : (set.pathSet ?? []),
  );
  return [...new Set(paths)];
}

/** Whether the filter asks for objects of this type at all. */
function wantsType(spec: PropertyFilterSpec, type: string): boolean {
  return spec.propSet.some((set) => isManagedSubtype(type, set.type));
}

/** Finds the objects a filter selects, following its traversals; cycles end where they meet themselves. */
export function select(spec: PropertyFilterSpec, reader: Reader): Selection {
  const traversal = new Traversal(spec, reader);
  for (const objectSpec of spec.objectSet) traversal.start(objectSpec);
  return traversal;
}

class Traversal implements Selection {
  readonly objects = new Map<string, ManagedObject>();
  readonly traversed = new Map<string, Set<string>>();
  readonly #spec: PropertyFilterSpec;
  readonly #reader: Reader;
  readonly #seen = new Map<SelectionSpec, Set<string>>();

  constructor(spec: PropertyFilterSpec, reader: Reader) {
    this.#spec = spec;
    this.#reader = reader;
  }

  start(objectSpec: ObjectSpec): void {
    const object = this.#reader.find(objectSpec.obj);
    if (object === undefined) {
      if (this.#spec.reportMissingObjectsInResults === true) return;
      throw managedObjectNotFound(objectSpec.obj);
    }
    if (objectSpec.skip !== true) this.#select(object);
    const named = new Map<string, TraversalSpec>();
    collectNamed(objectSpec.selectSet, named);
    this.#follow(object, objectSpec.selectSet, named);
  }

  #follow(
    origin: ManagedObject,
    selectSet: readonly SelectionSpec[] | undefined,
    named: ReadonlyMap<string, TraversalSpec>,
  ): void {
    // A stack of its own: specifications can be nested deeper than the call stack.
    const pending: (readonly [ManagedObject, SelectionSpec])[] = (selectSet ?? []).map((item) => [origin, item]);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [object, selection] = next;
      const spec = resolve(selection, named);
      if (!isManagedSubtype(object.ref.type, spec.type) || !this.#firstTime(spec, object)) continue;
      for (const target of this.#targets(object, spec.path)) {
        if (spec.skip !== true) this.#select(target);
        for (const inner of spec.selectSet ?? []) pending.push([target, inner]);
      }
    }
  }

  #firstTime(spec: SelectionSpec, object: ManagedObject): boolean {
    const seen = this.#seen.getOrInsertComputed(spec, () => new Set<string>());
    const key = keyOf(object.ref);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  }

  #targets(object: ManagedObject, path: string): ManagedObject[] {
    requirePath(object.ref.type, path);
    this.traversed.getOrInsertComputed(keyOf(object.ref), () => new Set<string>()).add(topLevelOf(path));
    const found = propertyValue(object, path, this.#reader.session);
    if (found.kind !== 'set') return [];
    const values: readonly unknown[] = Array.isArray(found.value) ? found.value : [found.value];
    return values
      .filter(isReference)
      .map((ref) => this.#reader.find(ref))
      .filter((target) => target !== undefined);
  }

  #select(object: ManagedObject): void {
    if (!wantsType(this.#spec, object.ref.type) || !this.#reader.mayRead(object)) return;
    this.objects.set(keyOf(object.ref), object);
  }
}

function collectNamed(selectSet: readonly SelectionSpec[] | undefined, named: Map<string, TraversalSpec>): void {
  const pending = [...(selectSet ?? [])];
  for (let spec = pending.pop(); spec !== undefined; spec = pending.pop()) {
    if (!isA(spec, 'TraversalSpec')) continue;
    if (spec.name !== undefined && spec.name !== '') named.set(spec.name, spec);
    pending.push(...(spec.selectSet ?? []));
    if (named.size > MAX_SPECS) throw invalidArgument('selectSet', 'The specification is too large.');
  }
}

function resolve(spec: SelectionSpec, named: ReadonlyMap<string, TraversalSpec>): TraversalSpec {
  if (isA(spec, 'TraversalSpec')) return spec;
  const found = named.get(spec.name ?? '');
  if (found === undefined)
    throw invalidArgument('selectSet', `There is no selection named ${spec.name?.slice(0, 100) ?? ''}.`);
  return found;
}
