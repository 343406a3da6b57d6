import type { Kysely, Selectable } from 'kysely';
import type { Executor } from './database.ts';
import type { Schema } from './schema/schema.ts';

/** A text column of a table, whose rows are told apart by `key`. */
export interface RewrittenColumn<T extends keyof Schema> {
  readonly table: T;
  readonly key: string & keyof Schema[T];
  readonly column: string & keyof Schema[T];
}

/**
 * Replaces values of a column, each unless it is changed at the same moment; says how many. `rewrite` is asked for
 * every row that has a text there, and gives `undefined` for one that stays.
 */
export async function rewriteColumn<T extends keyof Schema>(
  db: Executor,
  where: RewrittenColumn<T>,
  rewrite: (value: string, row: Selectable<Schema[T]>) => string | undefined,
): Promise<number> {
  const { table, key, column }: Readonly<Record<keyof typeof where, string>> = where;
  const tables = db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  let count = 0;
  for (const row of await tables.selectFrom(table).selectAll().execute()) {
    const value = row[column];
    if (typeof value !== 'string' || value === '') continue;
    const next = rewrite(value, row as Selectable<Schema[T]>);
    if (next === undefined) continue;
    const { numUpdatedRows } = await tables
      .updateTable(table)
      .set({ [column]: next })
      .where(key, '=', row[key])
      .where(column, '=', value)
      .executeTakeFirst();
    count += Number(numUpdatedRows);
  }
  return count;
}
