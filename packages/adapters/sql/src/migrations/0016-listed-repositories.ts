import type { Migration } from './migration.ts';

/** A repository that only blobs came to, and no manifest yet, is in no list. */
export const listedRepositories: Migration = {
  name: '0016-listed-repositories',
  up: async (db) => {
    await db.schema
      .alterTable('repositories')
      .addColumn('listed', 'integer', (column) => column.notNull().defaultTo(1))
      .execute();
  },
};
