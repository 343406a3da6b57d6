import {
  databaseBusy,
  databaseCorrupt,
  databaseFull,
  databaseUnavailable,
  foreignKeyViolation,
  uniqueViolation,
} from '../../sql-error.ts';

/** Result codes, https://www.sqlite.org/rescode.html; an extended code holds the primary one in its low byte. */
const PRIMARY = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;
const EXTENDED = { foreignKey: 787, primaryKey: 1555, unique: 2067, rowId: 2579 } as const;

/** The VicError of what SQLite refused; anything else as it is. */
export function toSqliteError(error: unknown): unknown {
  const code = resultCodeOf(error);
  if (code === undefined || !(error instanceof Error)) return error;
  switch (code) {
    case EXTENDED.unique:
    case EXTENDED.primaryKey:
    case EXTENDED.rowId:
      return uniqueViolation(error);
    case EXTENDED.foreignKey:
      return foreignKeyViolation(error);
  }
  switch (code & 0xff) {
    case PRIMARY.busy:
    case PRIMARY.locked:
      return databaseBusy(`Another process holds the database: ${error.message}.`, error);
    case PRIMARY.full:
      return databaseFull(error);
    case PRIMARY.corrupt:
    case PRIMARY.notADatabase:
      return databaseCorrupt(error);
    case PRIMARY.readOnly:
    case PRIMARY.ioError:
    case PRIMARY.cannotOpen:
      return databaseUnavailable(error);
    default:
      return error;
  }
}

function resultCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}
