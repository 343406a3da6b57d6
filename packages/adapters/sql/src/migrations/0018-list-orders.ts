import type { Migration } from './migration.ts';

/**
 * The order that lists of repositories have when nobody asks for another: a page is found without sorting all.
 *
 * What is listed comes last: in front, SQLite takes the index for lists in the order of names, too.
 */
export const listOrders: Migration = {
  name: '0018-list-orders',
  up: async (db) => {
    const indexes = [
      ['repositories_created', ['created_at_ms', 'id', 'listed']],
      ['repositories_project_created', ['project_id', 'created_at_ms', 'id', 'listed']],
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
