import { VicError } from '@vic/errors';

/**
 * Runs `operation` with a signal that fires after `timeoutMs` or when `signal` does.
 *
 * Rejects with `DeadlineExceeded` naming `what` when the time is up, or with the outer signal's reason.
 * The operation is expected to honour the signal; if it does not, it is left behind and its result dropped.
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  operation: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (reason: unknown): void => {
    reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => {
    abort(
      new VicError({
        class: 'DeadlineExceeded',
        code: 'DEADLINE_EXCEEDED',
        message: `Waited ${timeoutMs} ms for ${what}, which did not finish.`,
      }),
    );
  }, timeoutMs);
  const onOuterAbort = (): void => abort(signal?.reason);
  signal?.addEventListener('abort', onOuterAbort, { once: true });
  if (signal?.aborted === true) onOuterAbort();
  aborted.catch(() => undefined);
  try {
    return await Promise.race([operation(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onOuterAbort);
  }
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it fires. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
