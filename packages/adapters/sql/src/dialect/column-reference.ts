import { type Kysely, sql } from 'kysely';

/** A column of integers that exists, whose values are ids of another table from now on. */
export interface ColumnReference {
  readonly table: string;
  /** In no index; never null. */
  readonly column: string;
  readonly to: string;
}

/** SQLite gives references to new columns only: the new one takes the place of the old one. */
export async function referInSqlite(db: Kysely<unknown>, { table, column, to }: ColumnReference): Promise<void> {
  const successor = `${column}_successor`;
  await db.schema
    .alterTable(table)
    .addColumn(successor, 'integer', (c) => c.references(`${to}.id`))
    .execute();
  await sql`update ${sql.table(table)} set ${sql.ref(successor)} = ${sql.ref(column)}`.execute(db);
  await db.schema.alterTable(table).dropColumn(column).execute();
  await db.schema.alterTable(table).renameColumn(successor, column).execute();
  await sql`alter table ${sql.table(table)} alter column ${sql.ref(column)} set not null`.execute(db);
}

/** PostgreSQL checks what is there and keeps the column. */
export async function referInPostgres(db: Kysely<unknown>, { table, column, to }: ColumnReference): Promise<void> {
  await db.schema.alterTable(table).addForeignKeyConstraint(`${table}_${column}_fkey`, [column], to, ['id']).execute();
}
