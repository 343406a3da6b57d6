import { VicError } from '@vic/errors';
import type { Database, DatabaseLocation } from './database.ts';

/** Opens the database and brings its schema up to date. */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  throw new VicError({ class: 'NotSupported', code: 'SQL_DIALECT', message: `no dialect ${location.kind}` });
}
