import { VicError } from '@vic/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE', 'ESTALE', 'ETIMEDOUT']);

/** What an operating system's refusal to store means; anything that already is an error of ours is given back. */
export function storageError(error: unknown, directory: string): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  if (FULL.has(code)) return storeFull(directory, error);
  if (!REFUSED.has(code)) return error;
  return new VicError({
    class: 'Unavailable',
    code: 'BLOB_STORE_UNAVAILABLE',
    message: `The blob store in ${directory} cannot be written (${code}).`,
    remedy: 'Look at the disk, its mount and the permissions of the directory.',
    cause: error,
  });
}

/** No room for more. */
export function storeFull(directory: string, cause?: unknown): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'BLOB_STORE_FULL',
    message: `The disk of the blob store in ${directory} is full.`,
    remedy: 'Free space on it, enlarge it, or run the garbage collection.',
    cause,
  });
}

/** `ENOENT` and the like, when the operating system refused. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
