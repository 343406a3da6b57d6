import { createHash, type Hash } from 'node:crypto';
import { VicError } from '@vic/errors';

/** The algorithms a blob may be named by. */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits. */
export type BlobDigest = `${DigestAlgorithm}:${string}`;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether `text` is a digest that can name a blob. */
export function isBlobDigest(text: string): text is BlobDigest {
  return DIGEST.test(text);
}

/** The algorithm of a digest. */
export function algorithmOf(digest: BlobDigest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal digits of a digest. */
export function hexOf(digest: BlobDigest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** A hash whose end is the digest's hexadecimal digits. */
export function hashFor(digest: BlobDigest): Hash {
  return createHash(algorithmOf(digest));
}
