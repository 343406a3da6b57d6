import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `identity`. */
export const identity: Migration = {
  name: '0001-identity',
  up: async (db, types) => {
    await createUsers(db, types);
    await createGroups(db, types);
    await createSessions(db, types);
    await createRobots(db, types);
    await createProtection(db);
  },
};

async function createUsers(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('users'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('name_key', 'text', (column) => column.notNull().unique())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('real_name', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('system_administrator', 'integer', (column) => column.notNull())
    .addColumn('administrator_by_source', 'integer', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .addColumn('cli_secret_hash', 'text')
    .addColumn('cli_secret_updated_at_ms', 'bigint')
    .addColumn('last_sign_in_at_ms', 'bigint')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('users_subject', ['source', 'subject'])
    .execute();
}

async function createGroups(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('user_groups'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('type', 'integer', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('ldap_dn', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('user_groups_key', ['type', 'key'])
    .execute();
  await db.schema
    .createTable('user_group_members')
    .addColumn('group_id', 'integer', (column) => column.notNull().references('user_groups.id').onDelete('cascade'))
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('user_group_members_pk', ['user_id', 'group_id'])
    .execute();
  await db.schema.createIndex('user_group_members_group').on('user_group_members').column('group_id').execute();
}

async function createSessions(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('user_sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('id_token', 'text')
    .execute();
  await db.schema.createIndex('user_sessions_user').on('user_sessions').column('user_id').execute();
  await db.schema.createIndex('user_sessions_expiry').on('user_sessions').column('expires_at_ms').execute();
  await types
    .idColumn(db.schema.createTable('access_tokens'))
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('hint', 'text', (column) => column.notNull())
    .addColumn('grants', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at_ms', 'bigint')
    .addUniqueConstraint('access_tokens_name', ['user_id', 'name'])
    .execute();
}

async function createRobots(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('robots'))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('level', 'text', (column) => column.notNull())
    .addColumn('project_id', 'integer', (column) => column.notNull())
    .addColumn('duration_days', 'integer', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull())
    .addColumn('grants', 'text', (column) => column.notNull())
    .addColumn('creator_kind', 'text', (column) => column.notNull())
    .addColumn('creator_id', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('robots_project').on('robots').column('project_id').execute();
}

async function createProtection(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('login_failures')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('last_failure_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('blocked_until_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('login_addresses')
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('last_success_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('login_addresses_pk', ['user_id', 'address'])
    .execute();
  await db.schema
    .createTable('sign_in_flows')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
