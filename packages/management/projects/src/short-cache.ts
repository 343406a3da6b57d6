/**
 * Remembers loaded values for a short time.
 *
 * A change made by this process is seen at once ({@link forget}); one made by another, after `maxAgeMs`.
 */
export class ShortCache<K, V> {
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #entries = new Map<K, { readonly value: V; readonly loadedAtMs: number }>();
  readonly #loads = new Map<K, Promise<V>>();
  #generation = 0;

  constructor(options: { readonly maxAgeMs: number; readonly now: () => number }) {
    this.#maxAgeMs = options.maxAgeMs;
    this.#now = options.now;
  }

  /** The value, loaded at most once at a time for each key. */
  async get(key: K, load: () => Promise<V>): Promise<V> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#now() - entry.loadedAtMs < this.#maxAgeMs) return entry.value;
    return this.#loads.get(key) ?? this.#load(key, load);
  }

  /** Forgets everything, results of loads still under way included. */
  forget(): void {
    this.#generation++;
    this.#entries.clear();
    this.#loads.clear();
  }

  async #load(key: K, load: () => Promise<V>): Promise<V> {
    const generation = this.#generation;
    const loadedAtMs = this.#now();
    const loading = load();
    this.#loads.set(key, loading);
    try {
      const value = await loading;
      if (generation === this.#generation) this.#remember(key, { value, loadedAtMs });
      return value;
    } finally {
      if (this.#loads.get(key) === loading) this.#loads.delete(key);
    }
  }

  #remember(key: K, entry: { readonly value: V; readonly loadedAtMs: number }): void {
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    this.#entries.set(key, entry);
  }
}

/** More keys than a busy installation asks for within the cache's short age. */
const MAX_ENTRIES = 20_000;
