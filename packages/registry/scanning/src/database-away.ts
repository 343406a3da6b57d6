import { VicError } from '@vic/errors';

/** Whether something failed because the database did: then everything else would fail too, and is tried again. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof VicError && error.class === 'Unavailable' && error.code.startsWith('SQL_');
}
