import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

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
