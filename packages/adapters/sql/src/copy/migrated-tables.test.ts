import { expect, it } from 'vitest';
import { temporaryDatabase } from '../testing/index.ts';
import { migratedTables } from './migrated-tables.ts';

it('migratedTables() names every table once', async () => {
  await using database = await temporaryDatabase();
  const tables = (await database.db.introspection.getTables()).map(({ name }) => name);
  const { names } = await migratedTables();
  expect(names.toSorted()).toEqual(tables.filter((name) => name !== 'schema_migration').toSorted());
});
