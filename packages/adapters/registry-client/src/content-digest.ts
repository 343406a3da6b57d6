import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { VicError } from '@vic/errors';

/** A digest in its canonical form, of the two algorithms registries use. */
export type ContentDigest = `sha256:${string}` | `sha512:${string}`;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether `text` is a sha256 or sha512 digest in its canonical form. */
export function isContentDigest(text: string): text is ContentDigest {
  return DIGEST.test(text);
}

/** The digest in what a registry said, or an error. */
export function parseContentDigest(text: unknown): ContentDigest {
  if (typeof text === 'string' && isContentDigest(text)) return text;
  throw new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_DIGEST_INVALID',
    message: `The registry answered with ${JSON.stringify(text)?.slice(0, 150)} where a digest belongs.`,
  });
}

/** A hash of the digest's algorithm. */
export function hashFor(digest: ContentDigest): Hash {
  return createHash(digest.startsWith('sha512:') ? 'sha512' : 'sha256');
}

/** Whether the bytes are those of the digest. */
export function matchesDigest(bytes: Uint8Array, digest: ContentDigest): boolean {
  return hashFor(digest).update(bytes).digest('hex') === digest.slice(digest.indexOf(':') + 1);
}
