import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  DummyDriver,
  Kysely,
  type QueryResult,
} from 'kysely';
import type { DialectParts } from './dialect/dialect-parts.ts';

/** The statements that `body` makes on a database that has no rows and does nothing. */
export async function recordStatements(
  parts: DialectParts,
  body: (db: Kysely<unknown>) => Promise<void>,
): Promise<readonly string[]> {
  const statements: string[] = [];
  await using db = new Kysely<unknown>({
    dialect: { ...parts, createDriver: () => new RecordingDriver(statements) },
  });
  await body(db);
  return statements;
}

class RecordingDriver extends DummyDriver implements Driver {
  readonly #statements: string[];

  constructor(statements: string[]) {
    super();
    this.#statements = statements;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    return {
      executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
        this.#statements.push(`${query.sql} ${JSON.stringify(query.parameters)}`);
        return { rows: [] };
      },
      streamQuery: connection.streamQuery.bind(connection),
    };
  }
}
