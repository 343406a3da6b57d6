import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { SQLITE_PARTS, openSqlite } from './dialect/sqlite/open-sqlite.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/migrations.ts';

const BEFORE = MIGRATIONS.slice(
  0,
  MIGRATIONS.findIndex(({ name }) => name === '0017-repository-projects'),
);

it('0017-repository-projects keeps repositories and what is in them, less those of no project', async () => {
  await using directory = await temporaryDirectory('vic-sql-');
  await using database = await openSqlite(join(directory.path, 'registry.db'));
  const db = database.db as unknown as Kysely<unknown>;
  await migrate(db, SQLITE_PARTS, BEFORE);
  await sql`insert into projects (id, name, owner_id, public, metadata, created_at_ms, updated_at_ms)
    values (1, 'library', 1, 0, '{}', 0, 0)`.execute(db);
  for (const [id, projectId] of [
    [1, 1],
    [2, 9],
  ]) {
    await sql`insert into repositories (id, project_id, name, description, created_at_ms, updated_at_ms)
      values (${id}, ${projectId}, ${`name/${id}`}, 'kept', 0, 0)`.execute(db);
    await sql`insert into repository_blobs (repository_id, project_id, digest, size_bytes, touched_at_ms)
      values (${id}, ${projectId}, 'sha256:1', 1, 0)`.execute(db);
  }
  await migrate(db, SQLITE_PARTS, MIGRATIONS);
  expect(await database.db.selectFrom('repositories').select(['id', 'project_id', 'description']).execute()).toEqual([
    { id: 1, project_id: 1, description: 'kept' },
  ]);
  expect(await database.db.selectFrom('repository_blobs').select('repository_id').execute()).toEqual([
    { repository_id: 1 },
  ]);
  await expect(database.db.deleteFrom('projects').where('id', '=', 1).execute()).rejects.toThrow(/FOREIGN KEY/);
  await expect(sql`update repositories set project_id = null`.execute(db)).rejects.toThrow(/NOT NULL/);
});
