import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';
import { Kysely } from 'kysely';
import type { DialectParts } from './dialect/dialect-parts.ts';
import type { Migration } from './migrations/migration.ts';
import { recordStatements } from './record-statements.ts';

interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

interface MigrationTables {
  schema_migration: AppliedMigration & { readonly applied_at: number };
}

/**
 * Brings the schema up to date in one transaction.
 *
 * What was applied is remembered with a checksum of its statements: a migration that was changed since, and a
 * database that a newer release has migrated, are refused by name.
 */
export async function migrate(
  db: Kysely<unknown>,
  parts: DialectParts,
  migrations: readonly Migration[],
): Promise<void> {
  const steps = await Promise.all(migrations.map(async (migration) => withChecksum(migration, parts)));
  const current = await readApplied(db as Kysely<MigrationTables>).catch(() => []);
  if (current.length > 0 && pendingAfter(current, steps).length === 0) return;
  await db.transaction().execute(async (transaction) => {
    await parts.lockSchema(transaction);
    await createMigrationTable(transaction);
    const tables = transaction as unknown as Kysely<MigrationTables>;
    for (const { migration, checksum } of pendingAfter(await readApplied(tables), steps)) {
      await migration.up(withPlugins(transaction, parts), parts.types);
      const row = { name: migration.name, checksum, applied_at: Date.now() };
      await tables.insertInto('schema_migration').values(row).execute();
    }
  });
}

/** The names of the migrations that are still to do; throws like {@link migrate} for a database of another release. */
export async function pendingMigrations(
  db: Kysely<unknown>,
  parts: DialectParts,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const steps = await Promise.all(migrations.map(async (migration) => withChecksum(migration, parts)));
  const applied = await readApplied(db as Kysely<MigrationTables>);
  return pendingAfter(applied, steps).map(({ migration }) => migration.name);
}

interface Step {
  readonly migration: Migration;
  readonly checksum: string;
}

async function withChecksum(migration: Migration, parts: DialectParts): Promise<Step> {
  const statements = await recordStatements(parts, async (db) => migration.up(withPlugins(db, parts), parts.types));
  // Only the words count, so that another way to quote or to break lines is no change.
  const words = statements
    .join(';')
    .toLowerCase()
    .replaceAll(/["\s]+/g, ' ');
  return { migration, checksum: createHash('sha256').update(words).digest('hex') };
}

/** The steps still to do, after checking that those done are the ones known here. */
function pendingAfter(applied: readonly AppliedMigration[], steps: readonly Step[]): readonly Step[] {
  for (const [index, { name, checksum }] of applied.entries()) {
    const step = steps[index];
    if (step?.migration.name !== name) throw unknownMigration(name);
    if (step.checksum !== checksum) throw changedMigration(name);
  }
  return steps.slice(applied.length);
}

async function createMigrationTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schema_migration')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('checksum', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .execute();
}

async function readApplied(db: Kysely<MigrationTables>): Promise<AppliedMigration[]> {
  const rows = await db.selectFrom('schema_migration').select(['name', 'checksum']).execute();
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function withPlugins(db: Kysely<unknown>, { plugins }: DialectParts): Kysely<unknown> {
  return plugins.reduce((plugged, plugin) => plugged.withPlugin(plugin), db);
}

function unknownMigration(name: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SQL_SCHEMA_NEWER',
    message: `The database was changed by "${name}", which this release does not know.`,
    remedy: 'Run the release that changed it, or a newer one.',
  });
}

function changedMigration(name: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SQL_MIGRATION_CHANGED',
    message: `The migration "${name}" is not the one that was applied to this database.`,
    remedy: 'Run a released version; released migrations never change.',
  });
}
