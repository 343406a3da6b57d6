import type { Migration } from './migration.ts';

/** What is listed comes last in the indexes: in front, SQLite takes them for lists in the order of names, too. */
export const listOrdersOnly: Migration = {
  name: '0019-list-orders-only',
  up: async (db) => {
    const indexes = [
      ['repositories_created', ['created_at_ms', 'id', 'listed']],
      ['repositories_project_created', ['project_id', 'created_at_ms', 'id', 'listed']],
    ] as const;
    for (const [name, columns] of indexes) {
      await db.schema.dropIndex(name).execute();
      await db.schema
        .createIndex(name)
        .on('repositories')
        .columns([...columns])
        .execute();
    }
  },
};
