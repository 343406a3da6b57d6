import { isVicError } from '@vic/errors';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { streamingRefused } from '../streaming-refused.ts';
import { toPostgresError } from './postgres-error.ts';

/** Kysely's view of a pool of connections. */
export class PostgresDriver implements Driver {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    try {
      return new PostgresConnection(await this.#pool.connect());
    } catch (error) {
      throw toPostgresError(error);
    }
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    await connection.run(`start transaction isolation level ${settings.isolationLevel ?? 'serializable'}`);
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.run('commit');
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

/** A connection of the pool while it is in use. */
class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  #broken = false;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.run<R>(query.sql, query.parameters);
  }

  streamQuery(): never {
    throw streamingRefused();
  }

  async run<R>(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult<R>> {
    try {
      const { rows, rowCount } = await this.#client.query(sql, [...parameters]);
      return { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) };
    } catch (error) {
      const known = toPostgresError(error);
      this.#broken ||= isVicError(known, { code: 'SQL_UNAVAILABLE' });
      throw known;
    }
  }

  /** A connection that cannot even roll back is not used again; the server has rolled back by itself. */
  async rollback(): Promise<void> {
    if (this.#broken) return;
    try {
      await this.#client.query('rollback');
    } catch {
      this.#broken = true;
    }
  }

  release(): void {
    this.#client.release(this.#broken);
  }
}
