import { type Database, sql } from '@vic/sql';

const BATCH = 1000;

/**
 * Gives positions to the events committed since the last time; says how many.
 *
 * Ids cannot be the order: a transaction that commits later may hold a lower id, and a reader that has passed
 * it would never see it. Positions are given one transaction at a time, to what is already visible.
 */
export async function sequenceEvents(database: Database): Promise<number> {
  if (!(await hasNewEvents(database))) return 0;
  return database.transaction(
    async (transaction) => {
      // Writing the row first makes a second process wait instead of giving the same positions.
      const { last_position: last } = await transaction
        .updateTable('event_sequence')
        .set((column) => ({ last_position: column('last_position', '+', 0) }))
        .where('id', '=', 1)
        .returning('last_position')
        .executeTakeFirstOrThrow();
      const { numAffectedRows = 0n } = await sql`
        update event set position = ${sql.lit(last)} + fresh.number
        from (
          select id, row_number() over (order by id) as number from event
          where position is null order by id limit ${sql.lit(BATCH)}
        ) as fresh
        where event.id = fresh.id
      `.execute(transaction);
      await transaction
        .updateTable('event_sequence')
        .set({ last_position: last + Number(numAffectedRows) })
        .where('id', '=', 1)
        .execute();
      return Number(numAffectedRows);
    },
    { isolation: 'read committed' },
  );
}

async function hasNewEvents({ db }: Database): Promise<boolean> {
  const found = await db.selectFrom('event').select('id').where('position', 'is', null).limit(1).executeTakeFirst();
  return found !== undefined;
}
