import type { DatabaseIntrospector, DialectAdapter, Kysely, KyselyPlugin, QueryCompiler } from 'kysely';
import type { ColumnTypes } from './column-types.ts';

/** What a dialect is made of besides its connections. */
export interface DialectParts {
  readonly types: ColumnTypes;
  createAdapter(): DialectAdapter;
  createQueryCompiler(): QueryCompiler;
  createIntrospector(db: Kysely<never>): DatabaseIntrospector;
  /** Change the statements of migrations. */
  readonly plugins: KyselyPlugin[];
  /** Keeps other processes from migrating until the transaction ends. */
  lockSchema(transaction: Kysely<unknown>): Promise<void>;
}
