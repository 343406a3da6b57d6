import { type Database, type Executor, sql } from '@vic/sql';
import { chainHash } from './audit-record.ts';

const BATCH = 500;

/**
 * Chains the records written since the last time; says how many.
 *
 * Records are written without regard to each other, so that nobody waits for the log; they get their places
 * here, one process at a time.
 */
export async function sealRecords(database: Database): Promise<number> {
  if ((await openRecords(database.db, 1)).length === 0) return 0;
  return database.transaction(
    async (transaction) => {
      // Writing the row first makes a second process wait instead of giving the same places.
      const end = await transaction
        .updateTable('audit_chain')
        .set((column) => ({ last_position: column('last_position', '+', 0) }))
        .where('id', '=', 1)
        .returning(['last_position', 'last_hash'])
        .executeTakeFirstOrThrow();
      const records = await openRecords(transaction, BATCH);
      let { last_position: position, last_hash: hash } = end;
      const sealed = records.map(({ id, digest }) => {
        position++;
        hash = chainHash(position, hash, digest);
        return sql`(${sql.lit(id)}, ${sql.lit(position)}, ${hash})`;
      });
      if (sealed.length === 0) return 0;
      await sql`
        with sealed (id, position, hash) as (values ${sql.join(sealed)})
        update audit_record set position = sealed.position, hash = sealed.hash
        from sealed where audit_record.id = sealed.id
      `.execute(transaction);
      await transaction
        .updateTable('audit_chain')
        .set({ last_position: position, last_hash: hash })
        .where('id', '=', 1)
        .execute();
      return sealed.length;
    },
    { isolation: 'read committed' },
  );
}

async function openRecords(
  db: Executor,
  limit: number,
): Promise<readonly { readonly id: number; readonly digest: string }[]> {
  return db
    .selectFrom('audit_record')
    .select(['id', 'digest'])
    .where('position', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute();
}
