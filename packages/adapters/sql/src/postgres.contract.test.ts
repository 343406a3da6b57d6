import { isVicError } from '@vic/errors';
import { describe, expect, it } from 'vitest';
import { type Database, openDatabase, sql } from './index.ts';
import { PostgresServer, postgresUnavailable } from './testing/index.ts';

describe.skipIf(postgresUnavailable() !== undefined)('a PostgreSQL database', () => {
  it('that goes away and comes back fails clearly and then works again', async () => {
    await using server = await PostgresServer.start();
    await using database = await server.temporaryDatabase();
    const idle = Promise.all(Array.from({ length: 5 }, async () => ping(database)));
    await idle;
    const { promise: isOpen, resolve: opened } = Promise.withResolvers<void>();
    const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
    const interrupted = database.transaction(async (transaction) => {
      await transaction.insertInto('setting').values({ name: 'lost', value: '', updated_at: 0 }).execute();
      opened();
      await mayGoOn;
      await transaction.insertInto('setting').values({ name: 'lost too', value: '', updated_at: 0 }).execute();
    });
    await isOpen;
    await server.stop();
    goOn();
    await expect(interrupted).rejects.toSatisfy(isUnavailable);
    await expect(ping(database)).rejects.toSatisfy(isUnavailable);
    await expect(database.transaction(async () => undefined)).rejects.toSatisfy(isUnavailable);
    await server.resume();
    await Promise.all(Array.from({ length: 12 }, async () => ping(database)));
    expect(await database.db.selectFrom('setting').selectAll().execute()).toEqual([]);
    await database.transaction(async (transaction) => {
      await transaction.insertInto('setting').values({ name: 'kept', value: '', updated_at: 0 }).execute();
    });
  });

  it('whose connections are cut fails those statements only', async () => {
    await using server = await PostgresServer.start();
    await using database = await server.temporaryDatabase();
    await using other = await openDatabase(database.location);
    const cut = sql`select pg_sleep(300)`.execute(database.db).catch((error: unknown) => error);
    await expect
      .poll(async () => {
        const { rows } = await sql<{ cut: boolean }>`
          select pg_terminate_backend(pid) as cut from pg_stat_activity
          where state = 'active' and query like '%pg_sleep%' and pid != pg_backend_pid()
        `.execute(other.db);
        return rows.length;
      })
      .toBe(1);
    expect(await cut).toSatisfy(isUnavailable);
    await ping(database);
  });

  it('that cannot be reached, or refuses the password, says so', async () => {
    const nowhere = openDatabase({ kind: 'postgres', url: 'postgres://vic@127.0.0.1:1/none', password: 'p&=w/?' });
    await expect(nowhere).rejects.toSatisfy(isUnavailable);
    await expect(nowhere).rejects.not.toThrow(/p&=w/);
  });

  it('runs a transaction of read committed without starting it again', async () => {
    await using server = await PostgresServer.start();
    await using database = await server.temporaryDatabase();
    let runs = 0;
    const insert = async (name: string): Promise<void> =>
      database.transaction(
        async (transaction) => {
          runs++;
          await sql`update event_sequence set last_position = last_position + 1 where id = 1`.execute(transaction);
          await transaction.insertInto('setting').values({ name, value: '', updated_at: 0 }).execute();
        },
        { isolation: 'read committed' },
      );
    await Promise.all(Array.from({ length: 8 }, async (_, index) => insert(`s${index}`)));
    expect(runs).toBe(8);
  });
});

async function ping(database: Database): Promise<void> {
  await sql`select 1`.execute(database.db);
}

function isUnavailable(error: unknown): boolean {
  return isVicError(error, { class: 'Unavailable', code: 'SQL_UNAVAILABLE' });
}
