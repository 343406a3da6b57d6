import { retry } from '@vic/async';
import { isVicError } from '@vic/errors';
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import pg from 'pg';
import { CommitListeners } from '../../commit-listeners.ts';
import type { Database, DatabaseLocation } from '../../database.ts';
import type { Schema } from '../../schema/schema.ts';
import { POSTGRES_COLUMN_TYPES } from '../column-types.ts';
import type { DialectParts } from '../dialect-parts.ts';
import { PostgresDriver } from './postgres-driver.ts';
import { SortTextByBytes } from './sort-text-by-bytes.ts';

/** Any number will do that nothing else in the database locks. */
const MIGRATION_LOCK = 7_239_041_905;

/** What migrations need to know of PostgreSQL. */
export const POSTGRES_PARTS: DialectParts = {
  types: POSTGRES_COLUMN_TYPES,
  createAdapter: () => new PostgresAdapter(),
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createIntrospector: (db) => new PostgresIntrospector(db),
  plugins: [new SortTextByBytes()],
  lockSchema: async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(transaction);
  },
};

const DEFAULT_POOL_SIZE = 20;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** No statement of the program takes longer; one that does is stuck. */
const STATEMENT_TIMEOUT_MS = 120_000;
/** The server ends a transaction whose program has gone silent, so that others can go on. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

const RETRY = { attempts: 30, initialDelayMs: 2, maxDelayMs: 150 } as const;

/** A pool of connections to a PostgreSQL database; none is opened yet. */
export async function openPostgres(location: DatabaseLocation & { kind: 'postgres' }): Promise<Database> {
  const pool = createPool(location);
  const db = new Kysely<Schema>({ dialect: { ...POSTGRES_PARTS, createDriver: () => new PostgresDriver(pool) } });
  const listeners = new CommitListeners();
  return {
    dialect: 'postgres',
    db,
    transaction: async (body, { isolation = 'serializable' } = {}) =>
      listeners.after(async () =>
        retry(async () => db.transaction().setIsolationLevel(isolation).execute(body), {
          ...RETRY,
          retryIf: (error) => isVicError(error, { code: 'SQL_SERIALIZATION' }),
        }),
      ),
    afterCommit: (listener) => listeners.add(listener),
    [Symbol.asyncDispose]: async () => db.destroy(),
  };
}

function createPool(location: DatabaseLocation & { kind: 'postgres' }): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withPassword(location.url, location.password),
    max: location.poolSize ?? DEFAULT_POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'vic-registry',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    types: { getTypeParser: typeParser },
  });
  // A connection that dies takes its statement with it; the pool makes another for the next one.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** The URL also names sockets, where only the query part can carry a password. */
function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url;
  const separator = url.includes('?') ? '&' : '?';
  return `${url}${separator}password=${encodeURIComponent(password)}`;
}

/** `int8`, and `numeric`, which is what a sum of them is: as SQLite gives them, within 53 bits. */
const NUMBER_TYPES: ReadonlySet<number> = new Set([20, 1700]);

function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (NUMBER_TYPES.has(oid)) return Number;
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
}
