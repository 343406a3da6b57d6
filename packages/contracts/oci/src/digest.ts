import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The algorithms a registry has to store content by. */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** The digest of any content of a registry: sha256, or sha512 where a client chose it. */
export type ContentDigest = Digest | `sha512:${string}`;

const CONTENT_DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether `text` is a sha256 or sha512 digest in its canonical form. */
export function isContentDigest(text: string): text is ContentDigest {
  return CONTENT_DIGEST.test(text);
}

/** The digest in `text`, of either algorithm, or an error that names `what` it should have been. */
export function parseContentDigest(text: unknown, what = 'digest'): ContentDigest {
  if (typeof text === 'string' && isContentDigest(text)) return text;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'OCI_DIGEST_INVALID',
    message: `invalid ${what}: ${JSON.stringify(text)?.slice(0, 200)} is neither a sha256 nor a sha512 digest`,
  });
}

/** The algorithm a digest was made with. */
export function algorithmOf(digest: ContentDigest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal digits of a digest. */
export function hexOf(digest: ContentDigest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The digest, by that algorithm, of bytes held in memory. */
export function contentDigestOf(algorithm: DigestAlgorithm, bytes: Uint8Array | string): ContentDigest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Whether `text` is a sha256 digest in its canonical form. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** The digest in `text`, or an error that names `what` it should have been. */
export function parseDigest(text: unknown, what = 'digest'): Digest {
  if (typeof text === 'string' && isDigest(text)) return text;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'OCI_DIGEST_INVALID',
    message: `invalid ${what}: ${JSON.stringify(text)?.slice(0, 100)} is not a sha256 digest`,
  });
}

/** The digest of bytes held in memory. */
export function digestOfBytes(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
