import type { ManagedObjectReference } from '@vic/vim';
import { managedObjectNotFound } from './faults.ts';
import { type ManagedObject, keyOf } from './managed-object.ts';
import { ManagedEntity } from './managed-entity.ts';

/** A class of managed objects. */
export type ManagedClass<T extends ManagedObject> = abstract new (...args: never[]) => T;

/** All managed objects that do not belong to a session. */
export class ObjectRegistry {
  readonly #objects = new Map<string, ManagedObject>();
  /** Members of the classes that were asked for, kept up to date. */
  readonly #byClass = new Map<ManagedClass<ManagedObject>, Set<ManagedObject>>();
  readonly #children = new Map<ManagedEntity, Set<ManagedEntity>>();
  readonly #listeners = new Set<() => void>();

  /** Makes an object known. */
  add<T extends ManagedObject>(object: T): T {
    this.#objects.set(keyOf(object.ref), object);
    for (const [kind, members] of this.#byClass) if (object instanceof kind) members.add(object);
    if (object instanceof ManagedEntity) {
      if (object.parent !== undefined) this.#children.getOrInsertComputed(object.parent, () => new Set()).add(object);
      this.#entitiesChanged();
    }
    return object;
  }

  /** Forgets an object. */
  remove(object: ManagedObject): void {
    this.#objects.delete(keyOf(object.ref));
    for (const members of this.#byClass.values()) members.delete(object);
    if (object instanceof ManagedEntity) {
      if (object.parent !== undefined) this.#children.get(object.parent)?.delete(object);
      this.#children.delete(object);
      this.#entitiesChanged();
    }
  }

  /** Calls `listener` whenever entities come or go, until the returned function is called. */
  onEntitiesChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The object a reference names, if it exists. */
  find(ref: ManagedObjectReference): ManagedObject | undefined {
    return this.#objects.get(keyOf(ref));
  }

  /** The object of this class that a reference names; a ManagedObjectNotFound fault otherwise. */
  get<T extends ManagedObject>(ref: ManagedObjectReference, kind: ManagedClass<T>): T {
    const object = this.find(ref);
    if (object instanceof kind) return object;
    throw managedObjectNotFound(ref);
  }

  /** The entities whose parent is this one. */
  childrenOf(parent: ManagedEntity): readonly ManagedEntity[] {
    return [...(this.#children.get(parent) ?? [])];
  }

  /** All objects of a class. */
  all<T extends ManagedObject>(kind: ManagedClass<T>): T[] {
    const ofClass = this.#byClass.get(kind);
    if (ofClass !== undefined) return [...ofClass] as T[];
    const found: ManagedObject[] = [...this.#objects.values()].filter((object) => object instanceof kind);
    this.#byClass.set(kind, new Set(found));
    return found as T[];
  }

  #entitiesChanged(): void {
    for (const listener of this.#listeners) listener();
  }
}
