import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `repositories`. */
export const repositories: Migration = {
  name: '0007-repositories',
  up: async (db, types) => {
    await createRepositories(db, types);
    await createArtifacts(db, types);
    await createTags(db, types);
    await createReferences(db);
    await createBlobs(db);
    await createUsage(db, types);
  },
};

async function createRepositories(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('repositories'))
    .addColumn('project_id', 'integer', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('description', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('pull_count', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('repositories_project').on('repositories').columns(['project_id', 'name']).execute();
  await db.schema
    .createTable('manifests')
    .addColumn('digest', 'text', (c) => c.primaryKey())
    .addColumn('media_type', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('content', types.bytes, (c) => c.notNull())
    .addColumn('claimed_at_ms', 'bigint', (c) => c.notNull())
    .execute();
}

async function createArtifacts(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('artifacts'))
    .addColumn('project_id', 'integer', (c) => c.notNull())
    .addColumn('repository_id', 'integer', (c) => c.notNull().references('repositories.id').onDelete('cascade'))
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('media_type', 'text', (c) => c.notNull())
    .addColumn('manifest_media_type', 'text', (c) => c.notNull())
    .addColumn('artifact_type', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('subject_digest', 'text')
    .addColumn('subject_origin', 'text')
    .addColumn('accessory_type', 'text')
    .addColumn('extra_attrs', 'text', (c) => c.notNull())
    .addColumn('annotations', 'text', (c) => c.notNull())
    .addColumn('pushed_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('pulled_at_ms', 'bigint')
    .addUniqueConstraint('artifacts_repository_digest', ['repository_id', 'digest'])
    .execute();
  const indexes: readonly (readonly [string, readonly string[]])[] = [
    ['artifacts_digest', ['digest']],
    ['artifacts_project', ['project_id', 'id']],
    ['artifacts_subject', ['repository_id', 'subject_digest']],
    ['artifacts_pushed', ['repository_id', 'pushed_at_ms', 'id']],
  ];
  for (const [name, columns] of indexes) {
    await db.schema
      .createIndex(name)
      .on('artifacts')
      .columns([...columns])
      .execute();
  }
}

async function createTags(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('tags'))
    .addColumn('repository_id', 'integer', (c) => c.notNull().references('repositories.id').onDelete('cascade'))
    .addColumn('artifact_id', 'integer', (c) => c.notNull().references('artifacts.id').onDelete('cascade'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('pushed_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('pulled_at_ms', 'bigint')
    .addUniqueConstraint('tags_repository_name', ['repository_id', 'name'])
    .execute();
  await db.schema.createIndex('tags_artifact').on('tags').column('artifact_id').execute();
}

async function createReferences(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('artifact_references')
    .addColumn('parent_id', 'integer', (c) => c.notNull().references('artifacts.id').onDelete('cascade'))
    .addColumn('repository_id', 'integer', (c) => c.notNull())
    .addColumn('child_digest', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('media_type', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('platform', 'text')
    .addColumn('annotations', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('artifact_references_key', ['parent_id', 'position'])
    .execute();
  await db.schema
    .createIndex('artifact_references_child')
    .on('artifact_references')
    .columns(['repository_id', 'child_digest'])
    .execute();
  await db.schema
    .createTable('artifact_blobs')
    .addColumn('artifact_id', 'integer', (c) => c.notNull().references('artifacts.id').onDelete('cascade'))
    .addColumn('repository_id', 'integer', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('artifact_blobs_key', ['artifact_id', 'digest'])
    .execute();
  await db.schema
    .createIndex('artifact_blobs_digest')
    .on('artifact_blobs')
    .columns(['repository_id', 'digest'])
    .execute();
}

async function createBlobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('blobs')
    .addColumn('digest', 'text', (c) => c.primaryKey())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('claimed_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('condemned_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('blobs_claimed').on('blobs').columns(['state', 'claimed_at_ms']).execute();
  await db.schema
    .createTable('repository_blobs')
    .addColumn('repository_id', 'integer', (c) => c.notNull().references('repositories.id').onDelete('cascade'))
    .addColumn('project_id', 'integer', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('media_type', 'text')
    .addColumn('touched_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('repository_blobs_key', ['repository_id', 'digest'])
    .execute();
  await db.schema
    .createIndex('repository_blobs_digest')
    .on('repository_blobs')
    .columns(['digest', 'project_id'])
    .execute();
}

async function createUsage(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('project_content')
    .addColumn('project_id', 'integer', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('project_content_key', ['project_id', 'digest'])
    .execute();
  await types
    .idColumn(db.schema.createTable('usage_deltas'))
    .addColumn('project_id', 'integer', (c) => c.notNull())
    .addColumn('delta_bytes', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('usage_deltas_project').on('usage_deltas').column('project_id').execute();
  await db.schema
    .createTable('project_usage')
    .addColumn('project_id', 'integer', (c) => c.primaryKey())
    .addColumn('used_bytes', 'bigint', (c) => c.notNull())
    .execute();
}
