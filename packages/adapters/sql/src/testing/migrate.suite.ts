import { isVicError } from '@vic/errors';
import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Database } from '../database.ts';
import type { DialectParts } from '../dialect/dialect-parts.ts';
import { POSTGRES_PARTS } from '../dialect/postgres/open-postgres.ts';
import { SQLITE_PARTS } from '../dialect/sqlite/open-sqlite.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import type { Migration } from '../migrations/migration.ts';
import type { DialectSuite } from './index.ts';

/** What migrations promise. */
export const migrateSuite: DialectSuite = (open) => {
  it('applies what is new, in order, once', async () => {
    await using database = await open();
    await apply(database, [...MIGRATIONS, pet]);
    await apply(database, [...MIGRATIONS, pet, toy]);
    await apply(database, [...MIGRATIONS, pet, toy]);
    await sql`insert into toy (name, pet) values ('ball', 'rex')`.execute(database.db);
  });

  it('applies everything or nothing', async () => {
    await using database = await open();
    const broken: Migration = {
      name: '9002-broken',
      up: async (db) => {
        await db.schema.createTable('half').addColumn('name', 'text').execute();
        await sql`this is no statement`.execute(db);
      },
    };
    await expect(apply(database, [...MIGRATIONS, pet, broken])).rejects.toThrow(/syntax error/);
    await apply(database, [...MIGRATIONS, pet]);
    await expect(sql`select * from half`.execute(database.db)).rejects.toThrow(/half/);
  });

  it('refuses, by name, a migration that was changed after it was applied', async () => {
    await using database = await open();
    await apply(database, [...MIGRATIONS, pet]);
    const changed: Migration = {
      name: pet.name,
      up: async (db) => db.schema.createTable('pet').addColumn('nickname', 'text').execute(),
    };
    await expect(apply(database, [...MIGRATIONS, changed])).rejects.toSatisfy(
      (error) => isVicError(error, { code: 'SQL_MIGRATION_CHANGED' }) && error.message.includes(pet.name),
    );
  });

  it('refuses a database that a newer release has changed', async () => {
    await using database = await open();
    await apply(database, [...MIGRATIONS, pet]);
    await expect(apply(database, MIGRATIONS)).rejects.toSatisfy(
      (error) => isVicError(error, { code: 'SQL_SCHEMA_NEWER' }) && error.message.includes(pet.name),
    );
  });
};

const pet: Migration = {
  name: '9000-pet',
  up: async (db) => {
    await db.schema
      .createTable('pet')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .execute();
  },
};

const toy: Migration = {
  name: '9001-toy',
  up: async (db, types) => {
    await types
      .idColumn(db.schema.createTable('toy'))
      .addColumn('name', 'text')
      .addColumn('pet', 'text')
      .addColumn('picture', types.bytes)
      .execute();
  },
};

async function apply(database: Database, migrations: readonly Migration[]): Promise<void> {
  const parts: DialectParts = database.dialect === 'sqlite' ? SQLITE_PARTS : POSTGRES_PARTS;
  await migrate(database.db as unknown as Kysely<unknown>, parts, migrations);
}
