import type { Writable } from 'node:stream';

/** Writes and waits until the reader has room again. `false` when the stream is closed: nothing more can be written. */
export async function pacedWrite(target: Writable, chunk: Uint8Array | string): Promise<boolean> {
  if (target.destroyed || target.writableEnded) return false;
  if (target.write(chunk)) return true;
  return drained(target);
}

async function drained(target: Writable): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onDrain = (): void => resolve(true);
  const onClose = (): void => resolve(false);
  target.once('drain', onDrain).once('close', onClose).once('error', onClose);
  try {
    return await promise;
  } finally {
    target.off('drain', onDrain).off('close', onClose).off('error', onClose);
  }
}
