import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `replication`. */
export const replication: Migration = {
  name: '0013-replication',
  up: async (db, types) => {
    await createRegistries(db, types);
    await createPolicies(db, types);
    await createPending(db, types);
    await createSent(db, types);
    await createApprovals(db, types);
    await createProxyReferences(db, types);
  },
};

async function createRegistries(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('registries'))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('credential_type', 'text', (column) => column.notNull())
    .addColumn('access_key', 'text', (column) => column.notNull())
    .addColumn('access_secret_sealed', 'text', (column) => column.notNull())
    .addColumn('insecure', 'integer', (column) => column.notNull())
    .addColumn('ca_certificate', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('replicates_here', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}

async function createPolicies(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('replication_policies'))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('creator', 'text', (column) => column.notNull())
    .addColumn('src_registry_id', 'integer', (column) => column.references('registries.id'))
    .addColumn('dest_registry_id', 'integer', (column) => column.references('registries.id'))
    .addColumn('dest_namespace', 'text', (column) => column.notNull())
    .addColumn('dest_namespace_replace_count', 'integer', (column) => column.notNull())
    .addColumn('trigger_type', 'text', (column) => column.notNull())
    .addColumn('cron', 'text', (column) => column.notNull())
    .addColumn('filters', 'text', (column) => column.notNull())
    .addColumn('gate', 'text', (column) => column.notNull())
    .addColumn('replicate_deletion', 'integer', (column) => column.notNull())
    .addColumn('override', 'integer', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('speed_kib_per_second', 'integer', (column) => column.notNull())
    .addColumn('copy_by_chunk', 'integer', (column) => column.notNull())
    .addColumn('single_active', 'integer', (column) => column.notNull())
    .addColumn('reconciled_at_ms', 'bigint')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}

async function createPending(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('replication_pending'))
    .addColumn('policy_id', 'integer', (column) =>
      column.notNull().references('replication_policies.id').onDelete('cascade'),
    )
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('reference', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('since_ms', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('last_error', 'text', (column) => column.notNull())
    .addUniqueConstraint('replication_pending_unique', ['policy_id', 'repository', 'reference'])
    .execute();
  await db.schema
    .createIndex('replication_pending_due')
    .on('replication_pending')
    .columns(['due_at_ms', 'policy_id'])
    .execute();
}

async function createSent(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('replication_sent'))
    .addColumn('policy_id', 'integer', (column) =>
      column.notNull().references('replication_policies.id').onDelete('cascade'),
    )
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('tag', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addUniqueConstraint('replication_sent_unique', ['policy_id', 'repository', 'tag'])
    .execute();
}

async function createApprovals(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('replication_approvals'))
    .addColumn('policy_id', 'integer', (column) =>
      column.notNull().references('replication_policies.id').onDelete('cascade'),
    )
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('approved_by', 'text', (column) => column.notNull())
    .addColumn('approved_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('replication_approvals_unique', ['policy_id', 'repository', 'digest'])
    .execute();
}

async function createProxyReferences(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('proxy_cache_references'))
    .addColumn('project_id', 'integer', (column) => column.notNull())
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('reference', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('checked_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('proxy_cache_references_unique', ['project_id', 'repository', 'reference'])
    .execute();
}
