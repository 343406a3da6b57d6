export type { Database, DatabaseLocation, Executor } from './database.ts';
export { openDatabase } from './open-database.ts';
export type { Schema } from './schema/schema.ts';
