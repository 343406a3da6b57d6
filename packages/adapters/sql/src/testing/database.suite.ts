import { isVicError } from '@vic/errors';
import { expect, it } from 'vitest';
import { type Database, isForeignKeyViolation, isUniqueViolation, openDatabase, sql } from '../index.ts';
import type { DialectSuite } from './index.ts';

/** What every database promises. */
export const databaseSuite: DialectSuite = (open) => {
  it('a transaction is committed as a whole, or leaves nothing', async () => {
    await using database = await open();
    await database.transaction(async (transaction) => {
      await put(transaction, 'a', '1');
      await put(transaction, 'b', '2');
    });
    const failed = database.transaction(async (transaction) => {
      await put(transaction, 'c', '3');
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await names(database)).toEqual(['a', 'b']);
  });

  it('others do not see a transaction before it is committed, and do not wait for it to read', async () => {
    await using database = await open();
    await database.transaction(async (transaction) => {
      await put(transaction, 'a', '1');
      expect(await names(database)).toEqual([]);
      expect(await transaction.selectFrom('setting').select('name').execute()).toHaveLength(1);
    });
    expect(await names(database)).toEqual(['a']);
  });

  it('counts right when many transactions change one row at once', async () => {
    await using database = await open();
    await using second = await openDatabase(database.location);
    await put(database.db, 'counter', '0');
    const increment = async (on: Database): Promise<void> =>
      on.transaction(async (transaction) => {
        const { value } = await transaction
          .selectFrom('setting')
          .select('value')
          .where('name', '=', 'counter')
          .executeTakeFirstOrThrow();
        await transaction
          .updateTable('setting')
          .set({ value: String(Number(value) + 1) })
          .where('name', '=', 'counter')
          .execute();
      });
    await Promise.all(Array.from({ length: 20 }, async (_, index) => increment(index % 2 === 0 ? database : second)));
    const row = await database.db.selectFrom('setting').select('value').executeTakeFirstOrThrow();
    expect(row.value).toBe('20');
  });

  it('gives numbers for ids, times, counts and sums', async () => {
    await using database = await open();
    const row = { type: 't', body: '{}', occurred_at: 1_900_000_000_123 };
    const { id } = await database.db.insertInto('event').values(row).returning('id').executeTakeFirstOrThrow();
    expect(id).toBe(1);
    const totals = await database.db
      .selectFrom('event')
      .select((column) => [
        column.fn.countAll().as('count'),
        column.fn.sum('occurred_at').as('sum'),
        column.fn.max('occurred_at').as('max'),
      ])
      .executeTakeFirstOrThrow();
    expect(totals).toEqual({ count: 1, sum: 1_900_000_000_123, max: 1_900_000_000_123 });
  });

  it('says how many rows a statement changed', async () => {
    await using database = await open();
    await put(database.db, 'a', '1');
    await put(database.db, 'b', '1');
    const updated = await database.db.updateTable('setting').set({ value: '2' }).executeTakeFirstOrThrow();
    expect(updated.numUpdatedRows).toBe(2n);
    const deleted = await database.db.deleteFrom('setting').where('name', '=', 'b').executeTakeFirstOrThrow();
    expect(deleted.numDeletedRows).toBe(1n);
  });

  it('sorts text by its bytes', async () => {
    await using database = await open();
    for (const name of ['b', 'A', 'a-1', 'a1', 'ä', 'B', '_']) await put(database.db, name, '');
    expect(await names(database)).toEqual(['A', 'B', '_', 'a-1', 'a1', 'b', 'ä']);
  });

  it('tells why a row was refused', async () => {
    await using database = await open();
    await put(database.db, 'a', '1');
    const again = put(database.db, 'a', '2');
    await expect(again).rejects.toSatisfy(isUniqueViolation);
    await expect(again).rejects.toSatisfy((error) => isVicError(error, { class: 'AlreadyExists' }));
    const orphan = database.db
      .insertInto('job_log')
      .values({ job_id: 99, at: 0, level: 'INFO', message: '' })
      .execute();
    await expect(orphan).rejects.toSatisfy(isForeignKeyViolation);
    expect(await names(database)).toEqual(['a']);
  });

  it('tells listeners of each committed transaction, and of no other', async () => {
    await using database = await open();
    let commits = 0;
    {
      using _listener = database.afterCommit(() => void commits++);
      await database.transaction(async (transaction) => put(transaction, 'a', '1'));
      await database.transaction(() => Promise.reject(new Error('no'))).catch(() => undefined);
    }
    await database.transaction(async (transaction) => put(transaction, 'b', '1'));
    expect(commits).toBe(1);
  });

  it('takes hostile text as what it is', async () => {
    await using database = await open();
    const name = `'); drop table setting; -- "\\ %_ \u{1f600}`;
    await put(database.db, name, 'x');
    const { rows } = await sql<{ name: string }>`select name from setting where name = ${name}`.execute(database.db);
    expect(rows).toEqual([{ name }]);
  });

  it('keeps its content, and migrates nothing twice, when it is opened again', async () => {
    await using database = await open();
    await put(database.db, 'a', '1');
    await using again = await openDatabase(database.location);
    expect(await names(again)).toEqual(['a']);
  });

  it('is made by several processes at once', async () => {
    await using database = await open();
    const opened = await Promise.all(Array.from({ length: 4 }, async () => openDatabase(database.location)));
    for (const one of opened) await one[Symbol.asyncDispose]();
  });
};

async function put(db: Database['db'], name: string, value: string): Promise<void> {
  await db.insertInto('setting').values({ name, value, updated_at: 0 }).execute();
}

async function names({ db }: Database): Promise<readonly string[]> {
  return (await db.selectFrom('setting').select('name').orderBy('name').execute()).map(({ name }) => name);
}
