import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** The tables of `labels`. */
export const labels: Migration = {
  name: '0008-labels',
  up: async (db, types) => {
    await types
      .idColumn(db.schema.createTable('labels'))
      .addColumn('project_id', 'integer', (column) => column.references('projects.id').onDelete('cascade'))
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('color', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('labels_project_name')
      .on('labels')
      .columns(['project_id', 'name'])
      .unique()
      .where(sql<boolean>`project_id is not null`)
      .execute();
    await db.schema
      .createIndex('labels_global_name')
      .on('labels')
      .column('name')
      .unique()
      .where(sql<boolean>`project_id is null`)
      .execute();
    await db.schema
      .createTable('artifact_labels')
      .addColumn('artifact_id', 'integer', (column) => column.notNull().references('artifacts.id').onDelete('cascade'))
      .addColumn('label_id', 'integer', (column) => column.notNull().references('labels.id').onDelete('cascade'))
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('artifact_labels_key', ['artifact_id', 'label_id'])
      .execute();
    await db.schema
      .createIndex('artifact_labels_label')
      .on('artifact_labels')
      .columns(['label_id', 'artifact_id'])
      .execute();
  },
};
