import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../dialect/column-types.ts';

/** One step of the schema. */
export interface Migration {
  /** `0001-identity`: never changed once released. */
  readonly name: string;
  /** Runs inside a transaction with the schema builder; column types that differ by dialect are in `types`. */
  up(db: Kysely<unknown>, types: ColumnTypes): Promise<void>;
}
