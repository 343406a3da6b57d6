import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `policies`. */
export const policies: Migration = {
  name: '0009-policies',
  up: async (db, types) => {
    await createRules(db, types);
    await createQuotas(db, types);
  },
};

async function createRules(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('immutable_rules'))
    .addColumn('project_id', 'integer', (column) => column.notNull().references('projects.id').onDelete('cascade'))
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('tag_selectors', 'text', (column) => column.notNull())
    .addColumn('scope_selectors', 'text', (column) => column.notNull())
    .addColumn('selectors_hash', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('immutable_rules_once', ['project_id', 'selectors_hash'])
    .execute();
  await types
    .idColumn(db.schema.createTable('retention_policies'))
    .addColumn('project_id', 'integer', (column) =>
      column.notNull().unique().references('projects.id').onDelete('cascade'),
    )
    .addColumn('rules', 'text', (column) => column.notNull())
    .addColumn('cron', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}

async function createQuotas(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('quotas'))
    .addColumn('project_id', 'integer', (column) =>
      column.notNull().unique().references('projects.id').onDelete('cascade'),
    )
    .addColumn('storage_limit_bytes', 'bigint', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await types
    .idColumn(db.schema.createTable('quota_reservations'))
    .addColumn('project_id', 'integer', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('quota_reservations_project')
    .on('quota_reservations')
    .columns(['project_id', 'expires_at_ms'])
    .execute();
}
