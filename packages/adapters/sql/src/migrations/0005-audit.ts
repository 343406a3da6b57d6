import { type Kysely, sql } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `audit`. */
export const audit: Migration = {
  name: '0005-audit',
  up: async (db, types) => {
    await createRecord(db, types);
    await createChain(db);
  },
};

async function createRecord(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('audit_record'))
    .addColumn('position', 'bigint')
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('hash', 'text')
    .addColumn('occurred_at', 'bigint', (column) => column.notNull())
    .addColumn('operator', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('resource_type', 'text', (column) => column.notNull())
    .addColumn('resource', 'text', (column) => column.notNull())
    .addColumn('project_id', 'bigint')
    .addColumn('project_name', 'text')
    .addColumn('succeeded', 'integer', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('event_position', 'bigint')
    .execute();
  await db.schema.createIndex('audit_record_position').unique().on('audit_record').column('position').execute();
  await db.schema.createIndex('audit_record_event').unique().on('audit_record').column('event_position').execute();
  await db.schema.createIndex('audit_record_time').on('audit_record').columns(['occurred_at', 'id']).execute();
  const ofProject = db.schema.createIndex('audit_record_project').on('audit_record');
  await ofProject.columns(['project_id', 'occurred_at', 'id']).execute();
}

async function createChain(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_purged')
    .addColumn('position', 'bigint', (column) => column.primaryKey())
    .addColumn('digest', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('audit_chain')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('last_position', 'bigint', (column) => column.notNull())
    .addColumn('last_hash', 'text', (column) => column.notNull())
    .addColumn('first_position', 'bigint', (column) => column.notNull())
    .addColumn('first_hash', 'text', (column) => column.notNull())
    .addColumn('forwarded_position', 'bigint', (column) => column.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (column) => column.notNull())
    .execute();
  await sql`
    insert into audit_chain
      (id, last_position, last_hash, first_position, first_hash, forwarded_position, lease_until)
    values (1, 0, '', 0, '', 0, 0)
  `.execute(db);
}
