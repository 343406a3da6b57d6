import { type CompiledQuery, type DatabaseConnection, type Driver, type QueryResult, SelectQueryNode } from 'kysely';
import { streamingRefused } from '../streaming-refused.ts';
import type { SqliteFile, SqliteResult } from './sqlite-file.ts';
import { whenFree } from './when-free.ts';
import type { WriteAheadLog } from './write-ahead-log.ts';
import type { WriteLock } from './write-lock.ts';

/** Both connections of a process: reads do not wait for the transaction that is open. */
export interface SqliteConnections {
  readonly writer: SqliteFile;
  readonly reader: SqliteFile;
  readonly lock: WriteLock;
  readonly log: WriteAheadLog;
}

/** Kysely's view of the two connections. */
export class SqliteDriver implements Driver {
  readonly #connections: SqliteConnections;

  constructor(connections: SqliteConnections) {
    this.#connections = connections;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#connections);
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    connection.rollback();
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.rollback();
  }

  /** The connections are closed by who opened them: Kysely destroys no driver that was never used. */
  async destroy(): Promise<void> {}
}

/** One statement's way to the right connection, or one transaction. */
class SqliteConnection implements DatabaseConnection {
  readonly #connections: SqliteConnections;
  #release: (() => void) | undefined;

  constructor(connections: SqliteConnections) {
    this.#connections = connections;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#execute(query);
    return { rows: result.rows as R[], numAffectedRows: BigInt(result.changes) };
  }

  streamQuery(): never {
    throw streamingRefused();
  }

  async begin(): Promise<void> {
    const release = await this.#connections.lock.acquire();
    try {
      await whenFree(() => this.#connections.writer.execute('begin immediate'));
    } catch (error) {
      release();
      throw error;
    }
    this.#release = release;
  }

  async commit(): Promise<void> {
    await whenFree(() => this.#connections.writer.execute('commit'));
    // The next transaction need not wait for the disk; whoever made this one does.
    this.#end();
    await this.#connections.log.flush();
  }

  rollback(): void {
    if (this.#release === undefined) return;
    try {
      // SQLite has already rolled back after some errors, a full disk for one.
      if (this.#connections.writer.inTransaction) this.#connections.writer.execute('rollback');
    } finally {
      this.#end();
    }
  }

  async #execute(query: CompiledQuery): Promise<SqliteResult> {
    const { writer, reader, lock, log } = this.#connections;
    if (this.#release !== undefined) return writer.execute(query.sql, query.parameters);
    if (onlyReads(query)) return whenFree(() => reader.execute(query.sql, query.parameters));
    const release = await lock.acquire();
    let result: SqliteResult;
    try {
      result = await whenFree(() => writer.execute(query.sql, query.parameters));
    } finally {
      release();
    }
    await log.flush();
    return result;
  }

  #end(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

function onlyReads({ query, sql }: CompiledQuery): boolean {
  return SelectQueryNode.is(query) || (query.kind === 'RawNode' && /^\s*select\b/i.test(sql));
}
