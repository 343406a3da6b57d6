import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';
import type { Migration } from './migration.ts';

/** The tables of `scanning`. */
export const scanning: Migration = {
  name: '0011-scanning',
  up: async (db, types) => {
    await scanners(db, types);
    await reports(db, types);
    await vulnerabilities(db, types);
    await advisories(db, types);
    await exports(db);
  },
};

async function scanners(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('scanner_registrations'))
    .addColumn('uuid', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('auth', 'text', (column) => column.notNull())
    .addColumn('credential', 'text')
    .addColumn('skip_cert_verify', 'integer', (column) => column.notNull())
    .addColumn('use_internal_address', 'integer', (column) => column.notNull())
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('is_default', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('project_scanners')
    .addColumn('project_id', 'integer', (column) => column.primaryKey())
    .addColumn('registration_id', 'integer', (column) =>
      column.notNull().references('scanner_registrations.id').onDelete('cascade'),
    )
    .execute();
}

async function reports(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('scan_reports'))
    .addColumn('uuid', 'text', (column) => column.notNull().unique())
    .addColumn('artifact_id', 'integer', (column) => column.notNull().references('artifacts.id').onDelete('cascade'))
    .addColumn('registration_id', 'integer', (column) =>
      column.notNull().references('scanner_registrations.id').onDelete('cascade'),
    )
    .addColumn('scan_type', 'text', (column) => column.notNull())
    .addColumn('mime_type', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('severity_rank', 'integer', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('fixable', 'integer', (column) => column.notNull())
    .addColumn('summary', 'text', (column) => column.notNull())
    .addColumn('scanner', 'text', (column) => column.notNull())
    .addColumn('job_id', 'bigint')
    .addColumn('database_at_ms', 'bigint')
    .addColumn('database_count', 'integer')
    .addColumn('raw', 'text')
    .addColumn('sbom_digest', 'text')
    .addColumn('error', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .addUniqueConstraint('scan_reports_key', ['artifact_id', 'registration_id', 'scan_type'])
    .execute();
  await db.schema.createIndex('scan_reports_job').on('scan_reports').column('job_id').execute();
}

async function vulnerabilities(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await types
    .idColumn(db.schema.createTable('vulnerability_records'))
    .addColumn('registration_id', 'integer', (column) =>
      column.notNull().references('scanner_registrations.id').onDelete('cascade'),
    )
    .addColumn('cve_id', 'text', (column) => column.notNull())
    .addColumn('package', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('package_type', 'text', (column) => column.notNull())
    .addColumn('fix_version', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('severity_rank', 'integer', (column) => column.notNull())
    .addColumn('cvss3_score', 'double precision')
    .addColumn('cvss3_vector', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('links', 'text', (column) => column.notNull())
    .addColumn('cwe_ids', 'text', (column) => column.notNull())
    .addColumn('vendor_attributes', 'text', (column) => column.notNull())
    .addColumn('first_seen_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('vulnerability_records_key', [
      'registration_id',
      'cve_id',
      'package',
      'version',
      'package_type',
    ])
    .execute();
  await db.schema.createIndex('vulnerability_records_cve').on('vulnerability_records').column('cve_id').execute();
  await db.schema
    .createTable('report_vulnerabilities')
    .addColumn('report_id', 'integer', (column) => column.notNull().references('scan_reports.id').onDelete('cascade'))
    .addColumn('record_id', 'integer', (column) =>
      column.notNull().references('vulnerability_records.id').onDelete('cascade'),
    )
    .addPrimaryKeyConstraint('report_vulnerabilities_key', ['report_id', 'record_id'])
    .execute();
  await db.schema
    .createIndex('report_vulnerabilities_record')
    .on('report_vulnerabilities')
    .column('record_id')
    .execute();
}

async function advisories(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('image_inventories')
    .addColumn('digest', 'text', (column) => column.primaryKey())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('package_count', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await types
    .idColumn(db.schema.createTable('advisory_feeds'))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('file', 'text', (column) => column.notNull())
    .addColumn('ecosystems', 'text', (column) => column.notNull())
    .addColumn('advisory_count', 'integer', (column) => column.notNull())
    .addColumn('package_count', 'integer', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint', (column) => column.notNull())
    .addColumn('modified_at_ms', 'bigint')
    .addColumn('imported_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('etag', 'text')
    .execute();
}

async function exports(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('scan_exports')
    .addColumn('execution_id', 'bigint', (column) => column.primaryKey())
    .addColumn('user_name', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
