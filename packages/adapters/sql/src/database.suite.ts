import { expect, it } from 'vitest';
import { sql } from './index.ts';
import type { DialectSuite } from './testing/index.ts';

/** What every database promises. */
export const databaseSuite: DialectSuite = (open) => {
  it('runs statements', async () => {
    await using database = await open();
    const { rows } = await sql<{ one: number }>`select 1 as one`.execute(database.db);
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('reads while a transaction is open, and does not see what is not committed', async () => {
    await using database = await open();
    const names = async (): Promise<string[]> =>
      (await database.db.selectFrom('setting').select('name').execute()).map(({ name }) => name);
    await database.transaction(async (transaction) => {
      await transaction.insertInto('setting').values({ name: 'a', value: '1', updated_at: 0 }).execute();
      expect(await names()).toEqual([]);
    });
    expect(await names()).toEqual(['a']);
  });
};
