import type { Migration } from './migration.ts';

/** The tables of `webhooks`. */
export const webhooks: Migration = {
  name: '0014-webhooks',
  up: async (db, types) => {
    await types
      .idColumn(db.schema.createTable('webhook_policies'))
      .addColumn('project_id', 'integer', (column) => column.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('enabled', 'integer', (column) => column.notNull())
      .addColumn('targets', 'text', (column) => column.notNull())
      .addColumn('event_types', 'text', (column) => column.notNull())
      .addColumn('signing_secret', 'text', (column) => column.notNull())
      .addColumn('creator', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('webhook_policies_name', ['project_id', 'name'])
      .execute();

    await db.schema
      .createTable('webhook_triggers')
      .addColumn('policy_id', 'integer', (column) =>
        column.notNull().references('webhook_policies.id').onDelete('cascade'),
      )
      .addColumn('event_type', 'text', (column) => column.notNull())
      .addColumn('triggered_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('webhook_triggers_key', ['policy_id', 'event_type'])
      .execute();
  },
};
