import { type QueryExecutorProvider, sql } from 'kysely';
import type { Database } from '../database.ts';

/** Lets a transaction take as long as it takes; the server would end one that waits for another database. */
export async function allowLongTransaction(dialect: Database['dialect'], db: QueryExecutorProvider): Promise<void> {
  if (dialect === 'sqlite') return;
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
  await sql`set local statement_timeout = 0`.execute(db);
}
