import type { ManagedObjectReference } from '@vic/vim';

/** Told about each change, at once and synchronously. */
export type ChangeListener = (ref: ManagedObjectReference, properties: readonly string[]) => void;

/** Where property changes of all managed objects are announced. */
export class Changes {
  readonly #listeners = new Set<ChangeListener>();

  /** Announces that properties of an object have changed. */
  publish(ref: ManagedObjectReference, properties: readonly string[]): void {
    for (const listener of this.#listeners) listener(ref, properties);
  }

  /** Calls `listener` for every change until the returned function is called. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
