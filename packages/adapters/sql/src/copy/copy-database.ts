import { VicError, describeError } from '@vic/errors';
import type { Kysely } from 'kysely';
import type { Database } from '../database.ts';
import { lastId, setLastId } from '../dialect/id-sequences.ts';
import { allowLongTransaction } from '../dialect/long-transaction.ts';
import { tableRows } from '../dialect/table-rows.ts';
import { requireCurrentSchema } from '../schema-state.ts';
import { type MigratedTables, migratedTables } from './migrated-tables.ts';
import { TableContent, type TableRow } from './table-content.ts';

/** What was copied of a table. */
export interface CopiedTable {
  readonly name: string;
  readonly rows: number;
}

/** How a database is copied. */
export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Told of every table that is copied and compared. */
  readonly onTable?: (table: CopiedTable) => void;
  /** Asked before anything is copied, and again before it is committed; throws when it may not be. */
  readonly permit?: () => Promise<void>;
}

/**
 * Copies every row of one database into another that has the same schema and none of its own, in one transaction
 * each; ids, and which are given next, are kept. What has arrived is read again and compared before it is committed.
 */
export async function copyDatabase(
  { from, to }: { readonly from: Database; readonly to: Database },
  options: CopyOptions = {},
): Promise<readonly CopiedTable[]> {
  for (const database of [from, to]) await requireCurrentSchema(database);
  const tables = await migratedTables();
  // On SQLite nobody else writes meanwhile; on PostgreSQL all of it is seen as of one moment.
  return from.transaction(
    async (source) => {
      await allowLongTransaction(from.dialect, source);
      await options.permit?.();
      return to.transaction(async (target) => {
        await allowLongTransaction(to.dialect, target);
        return copyTables(
          {
            source: { dialect: from.dialect, db: source as unknown as AnyTables },
            target: { dialect: to.dialect, db: target as unknown as AnyTables },
          },
          tables,
          options,
        );
      });
    },
    { isolation: 'repeatable read' },
  );
}

async function copyTables(
  sides: { readonly source: Side; readonly target: Side },
  tables: MigratedTables,
  options: CopyOptions,
): Promise<readonly CopiedTable[]> {
  await requireEmpty(sides.target, tables);
  const copied: CopiedTable[] = [];
  for (const name of tables.names) {
    const rows = await copyTable(sides, name, options.signal);
    copied.push({ name, rows });
    options.onTable?.({ name, rows });
  }
  await options.permit?.();
  return copied;
}

type AnyTables = Kysely<Record<string, Record<string, unknown>>>;

interface Side {
  readonly dialect: Database['dialect'];
  readonly db: AnyTables;
}

async function requireEmpty({ db }: Side, { names, seeded }: MigratedTables): Promise<void> {
  for (const name of names.toReversed()) {
    if (seeded.has(name)) {
      await db.deleteFrom(name).execute();
      continue;
    }
    const row = await db.selectFrom(name).selectAll().limit(1).executeTakeFirst();
    if (row !== undefined) throw notEmpty(name);
  }
}

async function copyTable(
  { source, target }: { readonly source: Side; readonly target: Side },
  name: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const [expected, arrived] = [new TableContent(), new TableContent()];
  for await (const rows of rowsOf(source, name)) {
    signal?.throwIfAborted();
    expected.add(rows);
    await insert(target, name, rows);
  }
  const last = await lastId(source.dialect, source.db, name);
  if (last !== undefined) {
    await setLastId(target.dialect, target.db, { name, lastId: last });
  }
  for await (const rows of rowsOf(target, name)) {
    signal?.throwIfAborted();
    arrived.add(rows);
  }
  if (!expected.equals(arrived)) throw differs(name, expected, arrived);
  return expected.rows;
}

function rowsOf({ dialect, db }: Side, table: string): AsyncIterable<readonly TableRow[]> {
  return tableRows(dialect, db, table);
}

/** Within what one statement may have of parameters. */
const MAX_VALUES = 20_000;

async function insert({ db }: Side, table: string, rows: readonly TableRow[]): Promise<void> {
  const perStatement = Math.max(1, Math.floor(MAX_VALUES / Object.keys(rows[0] ?? {}).length));
  try {
    for (let start = 0; start < rows.length; start += perStatement) {
      await db
        .insertInto(table)
        .values(rows.slice(start, start + perStatement))
        .execute();
    }
  } catch (cause) {
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'SQL_COPY_REFUSED',
      message: `The target does not take a row of the table ${table}: ${describeError(cause)}`,
      remedy: 'Nothing was copied. Mend the row in the source, where the server says what is wrong with it.',
      cause,
    });
  }
}

function notEmpty(table: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SQL_COPY_NOT_EMPTY',
    message: `The target database is not empty: the table ${table} has rows.`,
    remedy: 'Name a database that was made for this and that no registry has been started on.',
  });
}

function differs(table: string, expected: TableContent, arrived: TableContent): VicError {
  const how = expected.rows === arrived.rows ? 'with other content' : `of ${expected.rows}`;
  return new VicError({
    class: 'DataLoss',
    code: 'SQL_COPY_DIFFERS',
    message: `The table ${table} has arrived with ${arrived.rows} rows ${how}; nothing was committed.`,
    remedy: 'Report this with the versions of both databases; the source is as it was.',
  });
}
