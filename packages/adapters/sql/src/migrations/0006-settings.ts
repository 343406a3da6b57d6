import type { Migration } from './migration.ts';

/** The tables of `settings`. */
export const settings: Migration = {
  name: '0006-settings',
  up: async (db) => {
    await db.schema
      .createTable('setting')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
