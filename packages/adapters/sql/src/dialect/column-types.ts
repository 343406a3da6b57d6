import type { ColumnDataType, CreateTableBuilder, Kysely } from 'kysely';
import { type ColumnReference, referInPostgres, referInSqlite } from './column-reference.ts';

/** What is spelt differently by the dialects where tables are made and changed. */
export interface ColumnTypes {
  /** Adds `id`: an integer that the database counts up and never uses twice. */
  idColumn<T extends string, C extends string>(table: CreateTableBuilder<T, C>): CreateTableBuilder<T, C | 'id'>;
  /** Bytes. */
  readonly bytes: ColumnDataType;
  /** Makes a column refer to another table; what does not must be gone. */
  refer(db: Kysely<unknown>, reference: ColumnReference): Promise<void>;
}

/** As SQLite spells them. */
export const SQLITE_COLUMN_TYPES: ColumnTypes = {
  idColumn: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement()),
  bytes: 'blob',
  refer: referInSqlite,
};

/** As PostgreSQL spells them. */
export const POSTGRES_COLUMN_TYPES: ColumnTypes = {
  idColumn: (table) => table.addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey()),
  bytes: 'bytea',
  refer: referInPostgres,
};
