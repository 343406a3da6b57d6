import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillEveryTable } from '../testing/fill-every-table.ts';
import {
  type OpenTemporaryDatabase,
  PostgresServer,
  postgresUnavailable,
  temporaryDatabase,
} from '../testing/index.ts';
import { copyDatabase } from './copy-database.ts';
import { migratedTables } from './migrated-tables.ts';

describe.skipIf(postgresUnavailable() !== undefined)('copyDatabase()', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(async () => server[Symbol.asyncDispose]());
  const onPostgres: OpenTemporaryDatabase = async () => server.temporaryDatabase();

  it.each([
    ['SQLite to PostgreSQL', temporaryDatabase, onPostgres],
    ['PostgreSQL to SQLite', onPostgres, temporaryDatabase],
    ['SQLite to SQLite', temporaryDatabase, temporaryDatabase],
    ['PostgreSQL to PostgreSQL', onPostgres, onPostgres],
  ])('copies every table from %s, and back unchanged', async (_name, openSource, openTarget) => {
    await using source = await openSource();
    await fillEveryTable(source);
    await using target = await openTarget();
    const copied = await copyDatabase({ from: source, to: target });
    const { names } = await migratedTables();
    expect(copied.map(({ name }) => name)).toEqual(names);
    expect(copied.filter(({ rows }) => rows === 0)).toEqual([]);
    expect(await target.db.selectFrom('audit_chain').select('last_position').execute()).toEqual([
      { last_position: 42 },
    ]);
    await using back = await openSource();
    const again = await copyDatabase({ from: target, to: back });
    expect(again).toEqual(copied);
    for (const database of [source, target, back]) {
      const rows = await database.db.selectFrom('manifests').selectAll().orderBy('digest').execute();
      expect(rows.map(({ content }) => Buffer.from(content).toString('hex'))).toEqual(['00ff01', '00ff02', '00ff03']);
    }
  });

  it.each([
    ['SQLite', temporaryDatabase, onPostgres],
    ['PostgreSQL', onPostgres, temporaryDatabase],
  ])('goes on with ids after those that %s has given', async (_name, openSource, openTarget) => {
    await using source = await openSource();
    for (let count = 0; count < 4; count++) await insertLabel(source, `l${count}`);
    await source.db.deleteFrom('labels').where('id', '>', 2).execute();
    await using target = await openTarget();
    await copyDatabase({ from: source, to: target });
    expect(await insertLabel(target, 'next')).toBe(5);
    expect(await insertLabel(source, 'next')).toBe(5);
  });

  it.each([
    ['SQLite', temporaryDatabase],
    ['PostgreSQL', onPostgres],
  ])('leaves %s as it was when it is not empty, or when the copy fails', async (_name, open) => {
    await using source = await temporaryDatabase();
    await fillEveryTable(source);
    await using used = await open();
    await insertLabel(used, 'mine');
    const refused = copyDatabase({ from: source, to: used });
    await expect(refused).rejects.toMatchObject({ code: 'SQL_COPY_NOT_EMPTY' });
    expect(await used.db.selectFrom('labels').select('name').execute()).toEqual([{ name: 'mine' }]);
    await using target = await open();
    let asked = 0;
    const permit = async (): Promise<void> => {
      if (++asked === 2) throw new Error('a registry was started');
    };
    await expect(copyDatabase({ from: source, to: target }, { permit })).rejects.toThrow('a registry was started');
    expect(await target.db.selectFrom('projects').selectAll().execute()).toEqual([]);
    expect(await target.db.selectFrom('event_sequence').select('last_position').execute()).toEqual([
      { last_position: 0 },
    ]);
  });

  it('copies PostgreSQL as of one moment while others change it, and stops none of them', async () => {
    await using source = await server.temporaryDatabase();
    const [first, second] = [await insertLabel(source, 'a'), await insertLabel(source, 'b')];
    let [done, changes] = [false, 0];
    const changing = (async () => {
      while (!done) {
        const description = String(++changes);
        await source.transaction(async (transaction) => {
          for (const id of [first, second]) {
            await transaction.updateTable('labels').set({ description }).where('id', '=', id).execute();
          }
          await transaction.insertInto('usage_deltas').values({ project_id: 1, delta_bytes: 1 }).execute();
        });
      }
    })();
    for (let round = 0; round < 3; round++) {
      await using target = await temporaryDatabase();
      await copyDatabase({ from: source, to: target });
      const seen = await target.db.selectFrom('labels').select('description').execute();
      const { count } = await target.db
        .selectFrom('usage_deltas')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      const description = count === 0 ? '' : String(count);
      expect(seen).toEqual([{ description }, { description }]);
    }
    done = true;
    await changing;
    expect(changes).toBeGreaterThan(0);
  });

  it('names the table whose row the target does not take', async () => {
    await using source = await temporaryDatabase();
    await insertLabel(source, 'nul \0 character');
    await using target = await server.temporaryDatabase();
    const copying = copyDatabase({ from: source, to: target });
    await expect(copying).rejects.toMatchObject({
      code: 'SQL_COPY_REFUSED',
      message: expect.stringContaining('table labels') as string,
    });
  });

  it('refuses a source of an older release', async () => {
    await using source = await temporaryDatabase();
    await sql`delete from schema_migration where name = (select max(name) from schema_migration)`.execute(source.db);
    await using target = await temporaryDatabase();
    await expect(copyDatabase({ from: source, to: target })).rejects.toMatchObject({ code: 'SQL_SCHEMA_OLDER' });
  });
});

async function insertLabel({ db }: Awaited<ReturnType<OpenTemporaryDatabase>>, name: string): Promise<number> {
  const values = { project_id: null, name, description: '', color: '', created_at_ms: 1, updated_at_ms: 1 };
  const { id } = await db.insertInto('labels').values(values).returning('id').executeTakeFirstOrThrow();
  return id;
}
