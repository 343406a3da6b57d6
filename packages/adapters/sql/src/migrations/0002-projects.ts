import type { Migration } from './migration.ts';

/** The tables of `projects`. */
export const projects: Migration = {
  name: '0002-projects',
  up: async (db, types) => {
    await types
      .idColumn(db.schema.createTable('projects'))
      .addColumn('name', 'text', (column) => column.notNull().unique())
      .addColumn('owner_id', 'integer', (column) => column.notNull())
      .addColumn('registry_id', 'integer')
      .addColumn('public', 'integer', (column) => column.notNull())
      .addColumn('metadata', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('projects_registry').on('projects').column('registry_id').execute();

    await types
      .idColumn(db.schema.createTable('project_members'))
      .addColumn('project_id', 'integer', (column) => column.notNull().references('projects.id').onDelete('cascade'))
      .addColumn('entity_type', 'text', (column) => column.notNull())
      .addColumn('entity_id', 'integer', (column) => column.notNull())
      .addColumn('role_id', 'integer', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('project_members_once', ['project_id', 'entity_type', 'entity_id'])
      .execute();
    await db.schema
      .createIndex('project_members_entity')
      .on('project_members')
      .columns(['entity_type', 'entity_id'])
      .execute();

    await types
      .idColumn(db.schema.createTable('cve_allowlists'))
      .addColumn('project_id', 'integer', (column) => column.notNull().unique())
      .addColumn('expires_at_s', 'bigint')
      .addColumn('cve_ids', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
