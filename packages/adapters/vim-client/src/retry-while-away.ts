import { delay } from '@vic/async';
import { isVicError } from '@vic/errors';
import type { MethodName } from '@vic/vim';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
/** How a server that was killed, or is about to serve again, looks from here. */
const AWAY = ['HTTP_REFUSED', 'HTTP_CONNECTION_LOST'] as const;

/** Whether a method changes nothing, so that it can be called again when nobody knows whether it was. */
export function isReadMethod(method: MethodName): boolean {
  return /^(Retrieve|Query|Find|Search|Current|Fetch)/.test(method);
}

/** Runs an operation that only reads again while the server cannot be reached, until it has been away for `absenceMs`. */
export async function retryWhileAway<T>(
  operation: () => Promise<T>,
  absenceMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  const deadline = performance.now() + absenceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await operation();
    } catch (error) {
      if (!AWAY.some((code) => isVicError(error, { code })) || performance.now() + pauseMs > deadline) throw error;
    }
    await delay(pauseMs, signal);
  }
}
