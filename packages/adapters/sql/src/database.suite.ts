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
};
