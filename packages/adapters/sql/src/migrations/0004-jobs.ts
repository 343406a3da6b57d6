import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `jobs`. */
export const jobs: Migration = {
  name: '0004-jobs',
  up: async (db, types) => {
    await createExecution(db, types);
    await createJob(db, types);
    await createLog(db, types);
    await createSchedule(db, types);
    await createPool(db);
  },
};

async function createExecution(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('job_execution'))
    .addColumn('vendor_type', 'text', (column) => column.notNull())
    .addColumn('vendor_id', 'bigint', (column) => column.notNull())
    .addColumn('trigger_kind', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('status_message', 'text', (column) => column.notNull())
    .addColumn('attributes', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute();
  const index = db.schema.createIndex('job_execution_vendor').on('job_execution');
  await index.columns(['vendor_type', 'vendor_id', 'id']).execute();
  await db.schema.createIndex('job_execution_state').on('job_execution').column('status').execute();
}

async function createJob(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('job'))
    .addColumn('execution_id', 'bigint', (column) => column.references('job_execution.id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('status_message', 'text', (column) => column.notNull())
    .addColumn('attributes', 'text', (column) => column.notNull())
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('active_key', 'text')
    .addColumn('run_at', 'bigint', (column) => column.notNull())
    .addColumn('run_count', 'integer', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('max_failures', 'integer', (column) => column.notNull())
    .addColumn('progress', 'integer', (column) => column.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (column) => column.notNull())
    .addColumn('stop_requested', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('job_active_key').unique().on('job').column('active_key').execute();
  await db.schema.createIndex('job_claim').on('job').columns(['status', 'run_at']).execute();
  await db.schema.createIndex('job_execution_status').on('job').columns(['execution_id', 'status']).execute();
}

async function createLog(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('job_log'))
    .addColumn('job_id', 'bigint', (column) => column.notNull().references('job.id').onDelete('cascade'))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('level', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('job_log_job').on('job_log').columns(['job_id', 'id']).execute();
}

async function createSchedule(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('job_schedule'))
    .addColumn('vendor_type', 'text', (column) => column.notNull())
    .addColumn('vendor_id', 'bigint', (column) => column.notNull())
    .addColumn('cron_type', 'text', (column) => column.notNull())
    .addColumn('cron', 'text', (column) => column.notNull())
    .addColumn('attributes', 'text', (column) => column.notNull())
    .addColumn('next_run_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('job_schedule_vendor', ['vendor_type', 'vendor_id'])
    .execute();
  await db.schema.createIndex('job_schedule_next').on('job_schedule').column('next_run_at').execute();
  await db.schema
    .createTable('job_pause')
    .addColumn('kind', 'text', (column) => column.primaryKey())
    .addColumn('paused_at', 'bigint', (column) => column.notNull())
    .execute();
}

async function createPool(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('job_pool')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('pid', 'integer', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('concurrency', 'integer', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('heartbeat_at', 'bigint', (column) => column.notNull())
    .execute();
}
