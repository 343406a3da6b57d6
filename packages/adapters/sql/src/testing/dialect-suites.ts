import { afterAll, beforeAll, describe } from 'vitest';
import { postgresUnavailable } from './postgres-binaries.ts';
import { PostgresServer } from './postgres-server.ts';
import { type TemporaryDatabase, temporaryDatabase } from './temporary-database.ts';

/** Gives a suite its databases, each empty and migrated; the suite disposes of what it opens. */
export type OpenTemporaryDatabase = () => Promise<TemporaryDatabase>;

/** Tests that run on either dialect: written once in `x.suite.ts`. */
export type DialectSuite = (open: OpenTemporaryDatabase) => void;

/** Runs a suite on SQLite: what `x.test.ts` consists of. */
export function onSqlite(name: string, suite: DialectSuite): void {
  describe(`${name} on SQLite`, () => {
    suite(temporaryDatabase);
  });
}

/** Runs a suite on a PostgreSQL started for it: what `x.contract.test.ts` consists of; skipped where there is none. */
export function onPostgres(name: string, suite: DialectSuite): void {
  const reason = postgresUnavailable();
  describe.skipIf(reason !== undefined)(`${name} on PostgreSQL${reason === undefined ? '' : `: ${reason}`}`, () => {
    let server: PostgresServer | undefined;
    beforeAll(async () => {
      server = await PostgresServer.start();
    });
    afterAll(async () => server?.[Symbol.asyncDispose]());
    suite(async () => {
      if (server === undefined) throw new Error('PostgreSQL has not started');
      return server.temporaryDatabase();
    });
  });
}
