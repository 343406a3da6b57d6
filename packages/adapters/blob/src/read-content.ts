import type { Readable } from 'node:stream';
import { VicError } from '@vic/errors';

/**
 * Hands every chunk of `content` to `take`, in order, and pauses it while a promise of `take` is pending.
 *
 * When `signal` fires, this rejects at once and destroys `content`; when `take` fails, `content` is left paused, so
 * that its owner can still answer who sends it.
 */
export async function readContent(
  content: Readable,
  take: (chunk: Uint8Array) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (content.readableEnded) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let pending: Promise<void> | undefined;
  const onData = (chunk: Uint8Array): void => {
    try {
      pending = take(chunk);
    } catch (error) {
      reject(error);
      return;
    }
    if (pending === undefined) return;
    content.pause();
    pending.then(() => content.resume(), reject);
  };
  const onClose = (): void => reject(content.errored ?? interrupted());
  const onAbort = (): void => {
    reject(signal.reason);
    content.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  content.on('end', resolve).on('error', reject).on('close', onClose).on('data', onData);
  if (signal.aborted) onAbort();
  if (content.destroyed) onClose();
  try {
    await promise;
  } finally {
    content.off('data', onData).off('end', resolve).off('close', onClose).off('error', reject).pause();
    // A connection that breaks later is no news to anybody here, and must not be an unhandled error.
    content.on('error', () => undefined);
    signal.removeEventListener('abort', onAbort);
    await pending?.catch(() => undefined);
  }
}

function interrupted(): VicError {
  return new VicError({
    class: 'Cancelled',
    code: 'BLOB_UPLOAD_INTERRUPTED',
    message: 'The content broke off before its end.',
  });
}
