/** Who wants to know that this process has committed a transaction. */
export class CommitListeners {
  readonly #listeners = new Set<() => void>();

  /** Adds a listener until what is given back is disposed of. */
  add(listener: () => void): Disposable {
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  /** Runs a transaction and, when it is committed, tells the listeners. */
  async after<T>(transaction: () => Promise<T>): Promise<T> {
    const result = await transaction();
    for (const listener of this.#listeners) listener();
    return result;
  }
}
