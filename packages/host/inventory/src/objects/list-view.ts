import { type ManagedObjectReference, isReference, sameReference } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Changes } from '../model/changes.ts';
import { managedObjectNotFound } from '../model/faults.ts';
import { ManagedObject } from '../model/managed-object.ts';
import type { Session } from '../server/sessions.ts';

/** A list of objects that the client put together itself. */
export class ListView extends ManagedObject {
  readonly #session: Session;
  readonly #exists: (ref: ManagedObjectReference) => boolean;
  #members: readonly ManagedObjectReference[] = [];

  constructor(value: string, changes: Changes, session: Session, exists: (ref: ManagedObjectReference) => boolean) {
    super('ListView', value, changes);
    this.#session = session;
    this.#exists = exists;
  }

  protected readonly properties = { view: () => this.#members };

  readonly handlers: Handlers<ListView> = listViewHandlers;

  destroy(): void {
    this.#session.remove(this);
  }

  /** Adds and removes members; gives those that do not exist. */
  modify(add: readonly ManagedObjectReference[], remove: readonly ManagedObjectReference[]): ManagedObjectReference[] {
    const kept = this.#members.filter((member) => !remove.some((other) => sameReference(member, other)));
    const fresh = add.filter((ref) => this.#exists(ref) && !kept.some((member) => sameReference(member, ref)));
    this.#members = [...kept, ...fresh];
    this.touch('view');
    return add.filter((ref) => !this.#exists(ref));
  }

  /** Replaces the members; gives those that do not exist. */
  reset(members: readonly ManagedObjectReference[]): ManagedObjectReference[] {
    this.#members = [];
    return this.modify(members, []);
  }

  /** Replaces the members by those of another view of the session. */
  resetFrom(view: ManagedObjectReference): void {
    const other = this.#session.find(view);
    if (other === undefined) throw managedObjectNotFound(view);
    const members = other.read('view');
    this.reset(Array.isArray(members) ? members.filter(isReference) : []);
  }
}

const listViewHandlers: Handlers<ListView> = {
  DestroyView: (view) => {
    view.destroy();
    return undefined;
  },
  ModifyListView: (view, { add, remove }) => view.modify(add ?? [], remove ?? []),
  ResetListView: (view, { obj }) => view.reset(obj ?? []),
  ResetListViewFromView: (view, { view: source }) => {
    view.resetFrom(source);
    return undefined;
  },
};
