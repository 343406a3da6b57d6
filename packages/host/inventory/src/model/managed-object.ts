import type { ManagedObjectReference, ManagedTypeName } from '@vic/vim';
import type { Handlers } from './call.ts';
import type { Session } from '../server/sessions.ts';
import type { Changes } from './changes.ts';

/**
 * One managed object: named properties with cached values, and the methods it answers.
 *
 * A value stays the same until {@link touch} says that it changed, so that property collectors can compare
 * by identity first and re-read only what was touched.
 */
export abstract class ManagedObject {
  readonly ref: ManagedObjectReference;
  readonly #changes: Changes;
  readonly #cache = new Map<string, unknown>();

  constructor(type: ManagedTypeName, value: string, changes: Changes) {
    this.ref = { type, value };
    this.#changes = changes;
  }

  /** How each property is computed. */
  protected abstract readonly properties: Readonly<Record<string, () => unknown>>;

  /** The methods this object answers. */
  abstract readonly handlers: Handlers<never>;

  /** The value of a property; `undefined` when it is not set. */
  read(name: string): unknown {
    if (this.#cache.has(name)) return this.#cache.get(name);
    const compute = Object.hasOwn(this.properties, name) ? this.properties[name] : undefined;
    const value = compute?.();
    this.#cache.set(name, value);
    return value;
  }

  /** The value of a property for one session; only a few properties differ between sessions. */
  readFor(name: string, _session: Session | undefined): unknown {
    return this.read(name);
  }

  /** Says that properties have changed. */
  touch(...names: readonly string[]): void {
    for (const name of names) this.#cache.delete(name);
    this.#changes.publish(this.ref, names);
  }
}

/** The key of a reference in maps. */
export function keyOf(ref: ManagedObjectReference): string {
  return `${ref.type}:${ref.value}`;
}
