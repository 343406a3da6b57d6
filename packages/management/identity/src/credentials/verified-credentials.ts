import { createHmac, randomBytes } from 'node:crypto';

interface Entry {
  /** What the secret was verified against: another hash, and the entry is worth nothing. */
  readonly against: string;
  readonly expiresAtMs: number;
}

/** A memory dump holds digests under a key of this process, never what people type. */
const KEY_BYTES = 32;
const MAX_ENTRIES = 10_000;

/**
 * Remembers for a short time that a name and secret were right, so that a client that sends them with every
 * request does not cost a slow hash each time.
 *
 * An entry is bound to the stored hash it was verified against: a changed password ends it at once, whichever
 * process changed it.
 */
export class VerifiedCredentials {
  readonly #key = randomBytes(KEY_BYTES);
  readonly #entries = new Map<string, Entry>();
  readonly #lifetimeMs: number;
  readonly #clock: () => number;

  /** A memory that keeps entries for `lifetimeMs`. */
  constructor(lifetimeMs: number, clock: () => number) {
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  /** Whether that name and secret were verified against that hash a short time ago. */
  has(name: string, secret: string, against: string): boolean {
    const id = this.#idOf(name, secret);
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    if (entry.against === against && entry.expiresAtMs > this.#clock()) return true;
    this.#entries.delete(id);
    return false;
  }

  /** Remembers that they were right. */
  add(name: string, secret: string, against: string): void {
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size >= MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    const id = this.#idOf(name, secret);
    this.#entries.delete(id);
    this.#entries.set(id, { against, expiresAtMs: this.#clock() + this.#lifetimeMs });
  }

  #idOf(name: string, secret: string): string {
    return createHmac('sha256', this.#key).update(`${name.length}:${name}${secret}`).digest('base64');
  }
}
