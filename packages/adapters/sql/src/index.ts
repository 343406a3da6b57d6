export type { Database, DatabaseLocation, Executor, TransactionOptions } from './database.ts';
export { openDatabase, openDatabaseAsItIs } from './open-database.ts';
export { copyDatabase } from './copy/copy-database.ts';
export type { CopiedTable, CopyOptions } from './copy/copy-database.ts';
export { rewriteColumn } from './rewrite-column.ts';
export type { RewrittenColumn } from './rewrite-column.ts';
export { snapshotDatabase } from './copy/snapshot-database.ts';
export { appliedMigrations, knownMigrations } from './schema-state.ts';
export { skipLocked } from './dialect/skip-locked.ts';
export type { Schema } from './schema/schema.ts';
export { isForeignKeyViolation, isUniqueViolation } from './sql-error.ts';
export { afterKey, applyListQuery, beforeKey, containsText, fetchPage, filterCondition } from './list-query.ts';
export type { ListColumn, ListFilter, ListMapping, ListPage, ListRequest, ListSort } from './list-request.ts';
export { sql } from 'kysely';
export type {
  Expression,
  ExpressionBuilder,
  Generated,
  Insertable,
  RawBuilder,
  SelectQueryBuilder,
  Selectable,
  SqlBool,
  Transaction,
  Updateable,
} from 'kysely';
