import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema/schema.ts';

/** What a query is built on: the database, or the transaction the query belongs to. */
export type Executor = Kysely<Schema>;

/** How a transaction is kept apart from others. */
export interface TransactionOptions {
  /**
   * `read committed`: each statement sees what is committed when it starts, which is right, and never has to be
   * run again, where the first statement locks the row that everything else hangs on. On SQLite, where
   * transactions follow one another, there is no difference. `repeatable read`: for a body that only reads, however
   * long; it sees everything as of one moment, and gets in the way of nobody.
   */
  readonly isolation?: 'serializable' | 'repeatable read' | 'read committed';
}

/** The database of an installation. */
export interface Database extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres';
  /** For single statements. */
  readonly db: Executor;
  /**
   * Runs `body` in a serializable transaction, again when the database asks for it (serialization failure,
   * deadlock, busy), so `body` has no effects outside of it.
   */
  transaction<T>(body: (transaction: Transaction<Schema>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Calls `listener` after each transaction that this process commits, so that who waits for rows need not poll
   * for those made here; it must be quick and not throw.
   */
  afterCommit(listener: () => void): Disposable;
}

/** Where the database is. */
export type DatabaseLocation =
  /** A file; `:memory:` is not supported because readers have a connection of their own. */
  | { readonly kind: 'sqlite'; readonly path: string }
  /** `password` wins over one in the URL, so that it can be kept in a file. */
  | { readonly kind: 'postgres'; readonly url: string; readonly password?: string; readonly poolSize?: number };
