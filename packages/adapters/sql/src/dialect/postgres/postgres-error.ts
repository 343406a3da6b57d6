import { isVicError } from '@vic/errors';
import pg from 'pg';
import {
  databaseBusy,
  databaseCorrupt,
  databaseFull,
  databaseUnavailable,
  foreignKeyViolation,
  serializationFailure,
  uniqueViolation,
} from '../../sql-error.ts';

/** The VicError of what PostgreSQL refused, or of a connection that failed; anything else as it is. */
export function toPostgresError(error: unknown): unknown {
  if (!(error instanceof Error) || isVicError(error)) return error;
  // What did not come from the server is about the way to it.
  if (!(error instanceof pg.DatabaseError)) return error instanceof TypeError ? error : databaseUnavailable(error);
  return ofSqlState(error.code ?? '', error);
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
function ofSqlState(state: string, error: Error): Error {
  switch (state) {
    case '23505':
      return uniqueViolation(error);
    case '23503':
      return foreignKeyViolation(error);
    case '40001':
    case '40P01':
      return serializationFailure(error);
    case '53100':
      return databaseFull(error);
    case 'XX001':
    case 'XX002':
      return databaseCorrupt(error);
    case '25P03':
    case '55P03':
    case '57014':
      return databaseBusy(`The database did not get to it in time: ${error.message}.`, error);
  }
  const isAboutTheConnection = /^(?:08|28|3D|53|57P)/.test(state);
  return isAboutTheConnection ? databaseUnavailable(error) : error;
}
