export type { Database, DatabaseLocation, Executor } from './database.ts';
export { openDatabase } from './open-database.ts';
export type { Schema } from './schema/schema.ts';
export { isForeignKeyViolation, isUniqueViolation } from './sql-error.ts';
export { expressionBuilder, sql } from 'kysely';
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
