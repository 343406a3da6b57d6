import { createHash, type Hash } from 'node:crypto';
import { type ContentDigest, algorithmOf } from '@vic/oci';

/** A hash whose end is the digest's hexadecimal digits. */
export function hashFor(digest: ContentDigest): Hash {
  return createHash(algorithmOf(digest));
}
