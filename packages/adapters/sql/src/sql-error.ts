import { VicError, isVicError } from '@vic/errors';

const UNIQUE = 'SQL_UNIQUE';
const FOREIGN_KEY = 'SQL_FOREIGN_KEY';

/** Whether a statement failed because a row with that key exists; in PostgreSQL its transaction is then lost. */
export function isUniqueViolation(error: unknown): boolean {
  return isVicError(error, { code: UNIQUE });
}

/** Whether a statement failed because a row refers to what is not there, or is still referred to. */
export function isForeignKeyViolation(error: unknown): boolean {
  return isVicError(error, { code: FOREIGN_KEY });
}

/** A row with that key exists. */
export function uniqueViolation(cause: Error): VicError {
  return new VicError({
    class: 'AlreadyExists',
    code: UNIQUE,
    message: `The database has that already: ${cause.message}.`,
    cause,
  });
}

/** A reference leads nowhere, or what is to be deleted is in use. */
export function foreignKeyViolation(cause: Error): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: FOREIGN_KEY,
    message: `The database holds what this refers to, or is referred to by: ${cause.message}.`,
    cause,
  });
}

/** Others kept the database to themselves for too long. */
export function databaseBusy(message: string, cause?: unknown): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'SQL_BUSY',
    message,
    remedy: 'Try again; when it lasts, look for another program that holds the database.',
    cause,
  });
}

/** The database cannot be reached, or the connection was lost under way. */
export function databaseUnavailable(cause: Error): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'SQL_UNAVAILABLE',
    message: `The database cannot be reached: ${cause.message || cause.name}.`,
    remedy: 'It is tried again with the next request.',
    cause,
  });
}

/** The database has no room for the change, which was not made. */
export function databaseFull(cause: Error): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'SQL_FULL',
    message: `The database has no room left: ${cause.message}.`,
    remedy: 'Free space on the disk of the database.',
    cause,
  });
}

/** The database's files are damaged. */
export function databaseCorrupt(cause: Error): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'SQL_CORRUPT',
    message: `The database is damaged: ${cause.message}.`,
    remedy: 'Restore it from a backup.',
    cause,
  });
}

/** Two transactions got in each other's way; `transaction` runs the one that lost again. */
export function serializationFailure(cause: Error): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'SQL_SERIALIZATION',
    message: 'Too many changes were made to the same rows at the same time.',
    remedy: 'Try again.',
    cause,
  });
}
