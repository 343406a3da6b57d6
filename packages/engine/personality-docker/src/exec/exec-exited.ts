import { pollUntil, withDeadline } from '@vic/async';
import type { PersonalityContext } from '../personality.ts';

/** The exit status follows the end of the output at once; longer means that the channel was lost and the process goes on. */
const EXIT_STATUS_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 10;

/** Resolves when the session is known to have ended or was forgotten; with `false` when the time is up. */
export async function execExited(
  context: Pick<PersonalityContext, 'execution'>,
  execId: string,
  signal: AbortSignal,
  timeoutMs = EXIT_STATUS_TIMEOUT_MS,
): Promise<boolean> {
  const ended = (): true | undefined => {
    try {
      return context.execution.exec(execId).state.status === 'exited' ? true : undefined;
    } catch {
      // Its container was removed, and the session with it.
      return true;
    }
  };
  if (ended() === true) return true;
  return withDeadline(
    'the exit status of an exec session',
    timeoutMs,
    async (inner) => pollUntil(ended, POLL_INTERVAL_MS, inner),
    signal,
  ).catch(() => false);
}
