import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { Contribution } from './contribution.ts';
import type { Management } from './management.ts';

const INTERVAL_MS = 5 * 60_000;

/** Removes what has ended by itself: sessions, counted failures, robots made for one scan. */
export function composeHousekeeping({ identity }: Management, logger: Logger): Contribution {
  let timer: NodeJS.Timeout | undefined;
  const prune = (): void => {
    identity.prune().catch((error: unknown) => {
      logger.warn('What has ended could not be removed; tried again later', { error: describeError(error) });
    });
  };
  return {
    start: () => {
      timer = setInterval(prune, INTERVAL_MS).unref();
    },
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  };
}
