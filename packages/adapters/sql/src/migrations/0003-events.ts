import { type Kysely, sql } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `events`. */
export const events: Migration = {
  name: '0003-events',
  up: async (db, types) => {
    await createEvent(db, types);
    await createConsumers(db);
  },
};

async function createEvent(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('event'))
    .addColumn('position', 'bigint')
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('occurred_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('event_position').unique().on('event').column('position').execute();
  await db.schema
    .createTable('event_sequence')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('last_position', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into event_sequence (id, last_position) values (1, 0)`.execute(db);
}

async function createConsumers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('event_consumer')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('last_error', 'text')
    .addColumn('seen_at', 'bigint', (column) => column.notNull())
    .execute();
}
