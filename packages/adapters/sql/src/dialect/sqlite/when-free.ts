import { delay } from '@vic/async';
import { isVicError } from '@vic/errors';

/** How long another process may hold the database before an operation fails. */
const MAX_BUSY_MS = 20_000;
const BUSY_PAUSE_MS = 4;

/** Tries again while another process has the database to itself, letting this one go on in between. */
export async function whenFree<T>(operation: () => T): Promise<T> {
  const deadline = performance.now() + MAX_BUSY_MS;
  for (;;) {
    try {
      return operation();
    } catch (error) {
      if (!isVicError(error, { code: 'SQL_BUSY' }) || performance.now() > deadline) throw error;
    }
    await delay(BUSY_PAUSE_MS * (0.5 + Math.random()));
  }
}
