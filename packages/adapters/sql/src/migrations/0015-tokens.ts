import type { Migration } from './migration.ts';

/** The tables of `tokens`. */
export const tokens: Migration = {
  name: '0015-tokens',
  up: async (db, types) => {
    await types
      .idColumn(db.schema.createTable('token_keys'))
      .addColumn('kid', 'text', (column) => column.notNull().unique())
      .addColumn('algorithm', 'text', (column) => column.notNull())
      .addColumn('private_key', 'text', (column) => column.notNull())
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('retired_at_ms', 'bigint')
      .execute();

    await types
      .idColumn(db.schema.createTable('refresh_tokens'))
      .addColumn('hash', 'text', (column) => column.notNull().unique())
      .addColumn('principal_kind', 'text', (column) => column.notNull())
      .addColumn('principal_id', 'integer', (column) => column.notNull())
      .addColumn('grants', 'text')
      .addColumn('credential', 'text', (column) => column.notNull())
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('refresh_tokens_principal')
      .on('refresh_tokens')
      .columns(['principal_kind', 'principal_id'])
      .execute();
  },
};
