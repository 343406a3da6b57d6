import type { Migration } from './migration.ts';

/** The order that lists of repositories have when nobody asks for another: a page is found without sorting all. */
export const listOrders: Migration = {
  name: '0018-list-orders',
  up: async (db) => {
    const indexes = [
      ['repositories_created', ['listed', 'created_at_ms', 'id']],
      ['repositories_project_created', ['project_id', 'listed', 'created_at_ms', 'id']],
    ] as const;
    for (const [name, columns] of indexes) {
      await db.schema
        .createIndex(name)
        .on('repositories')
        .columns([...columns])
        .execute();
    }
  },
};
