import type { ColumnDataType, CreateTableBuilder } from 'kysely';

/** The column types whose spelling differs between the dialects. */
export interface ColumnTypes {
  /** Adds `id`: an integer that the database counts up and never uses twice. */
  idColumn<T extends string, C extends string>(table: CreateTableBuilder<T, C>): CreateTableBuilder<T, C | 'id'>;
  /** Bytes. */
  readonly bytes: ColumnDataType;
}

/** As SQLite spells them. */
export const SQLITE_COLUMN_TYPES: ColumnTypes = {
  idColumn: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement()),
  bytes: 'blob',
};

/** As PostgreSQL spells them. */
export const POSTGRES_COLUMN_TYPES: ColumnTypes = {
  idColumn: (table) => table.addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey()),
  bytes: 'bytea',
};
