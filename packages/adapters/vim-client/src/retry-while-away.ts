import { delay } from '@vic/async';
import { VicError, isVicError } from '@vic/errors';
import type { MethodName } from '@vic/vim';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
/** How a server that was killed, or is about to serve again, looks from here; one that refused was sent nothing. */
const AWAY = { read: ['HTTP_REFUSED', 'HTTP_CONNECTION_LOST'], change: ['HTTP_REFUSED'] } as const;

/** What an operation does at the server. */
export type Effect = keyof typeof AWAY;

/** Whether a method changes nothing, so that it can be called again when nobody knows whether it was. */
export function isReadMethod(method: MethodName): boolean {
  return /^(Retrieve|Query|Find|Search|Current|Fetch)/.test(method);
}

/** Runs an operation again while the server cannot be reached, until it has been away for `absenceMs`. */
export async function retryWhileAway<T>(
  { server, effect, absenceMs }: { readonly server: string; readonly effect: Effect; readonly absenceMs: number },
  operation: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const deadline = performance.now() + absenceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await operation();
    } catch (error) {
      if (effect === 'change' && isVicError(error, { code: 'HTTP_CONNECTION_LOST' })) throw answerLost(server, error);
      if (!AWAY[effect].some((code) => isVicError(error, { code }))) throw error;
      if (performance.now() + pauseMs > deadline) throw serverAway(server, absenceMs, error);
    }
    await delay(pauseMs, signal);
  }
}

function answerLost(server: string, cause: unknown): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'VIM_ANSWER_LOST',
    message: `The vSphere API at ${server} went away before it answered; whether it did what was asked is not known.`,
    remedy: 'Look whether it was done when the infrastructure is back, and try again if not.',
    cause,
  });
}

function serverAway(server: string, absenceMs: number, cause: unknown): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'VIM_SERVER_AWAY',
    message: `The vSphere API at ${server} cannot be reached; it was tried again for ${absenceMs / 1000} seconds.`,
    remedy: 'Try again when the infrastructure is back.',
    cause,
  });
}
