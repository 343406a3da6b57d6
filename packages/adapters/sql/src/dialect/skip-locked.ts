import type { SelectQueryBuilder } from 'kysely';
import type { Database } from '../database.ts';

/**
 * A query for rows to be claimed by the statement around it, passing over those that others are claiming at the
 * same moment. SQLite has one writer at a time and needs nothing.
 */
export function skipLocked<DB, TB extends keyof DB, O>(
  { dialect }: Pick<Database, 'dialect'>,
  query: SelectQueryBuilder<DB, TB, O>,
): SelectQueryBuilder<DB, TB, O> {
  return dialect === 'postgres' ? query.forUpdate().skipLocked() : query;
}
