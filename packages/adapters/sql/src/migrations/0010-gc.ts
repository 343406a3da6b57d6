import type { Migration } from './migration.ts';

/** The tables of `gc`. */
export const gc: Migration = {
  name: '0010-gc',
  up: async (db, types) => {
    await db.schema
      .createTable('damaged_content')
      .addColumn('digest', 'text', (c) => c.primaryKey())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('found_at_ms', 'bigint', (c) => c.notNull())
      .addColumn('quarantined_as', 'text')
      .addColumn('content', types.bytes)
      .execute();
  },
};
