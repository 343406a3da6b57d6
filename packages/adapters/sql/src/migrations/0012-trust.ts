import type { Migration } from './migration.ts';

/** The tables of `trust`. */
export const trust: Migration = {
  name: '0012-trust',
  up: async (db, types) => {
    await types
      .idColumn(db.schema.createTable('tuf_metadata'))
      .addColumn('gun', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('sha256', 'text', (column) => column.notNull())
      .addColumn('content', types.bytes, (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('tuf_metadata_version', ['gun', 'role', 'version'])
      .execute();
    await types
      .idColumn(db.schema.createTable('tuf_keys'))
      .addColumn('gun', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('private_key', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('tuf_keys_once', ['gun', 'role', 'key_id'])
      .execute();
    await db.schema
      .createTable('trust_policies')
      .addColumn('project_id', 'integer', (column) => column.primaryKey())
      .addColumn('policy', 'text', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
