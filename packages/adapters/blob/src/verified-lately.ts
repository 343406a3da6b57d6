import type { ContentDigest } from '@vic/oci';

/** Content is served without being hashed again when that was done at most so long ago, and it is the same object. */
const TRUSTED_MS = 10 * 60_000;
const MAX_REMEMBERED = 10_000;

/** The blobs that this process has lately hashed in full and found sound. */
export class VerifiedLately {
  readonly #seen = new Map<ContentDigest, { readonly identity: string; readonly untilMs: number }>();

  /** `identity` tells this object from another stored under the same digest later. */
  add(digest: ContentDigest, identity: string): void {
    this.#seen.delete(digest);
    this.#seen.set(digest, { identity, untilMs: performance.now() + TRUSTED_MS });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
  }

  has(digest: ContentDigest, identity: string): boolean {
    const seen = this.#seen.get(digest);
    return seen !== undefined && seen.identity === identity && performance.now() < seen.untilMs;
  }
}
