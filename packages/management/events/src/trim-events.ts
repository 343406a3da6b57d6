import type { Executor } from '@vic/sql';

/** A consumer that no process has run for so long no longer keeps events from being trimmed. */
const FORGET_CONSUMER_MS = 30 * 24 * 60 * 60 * 1000;
const BATCH = 5000;

/** Deletes the events before `beforeMs` that every consumer has handled; says how many. */
export async function trimEvents(db: Executor, beforeMs: number): Promise<number> {
  await db
    .deleteFrom('event_consumer')
    .where('seen_at', '<', Date.now() - FORGET_CONSUMER_MS)
    .execute();
  const handled = await db
    .selectFrom('event_consumer')
    .select((column) => column.fn.min('position').as('position'))
    .executeTakeFirst();
  if (handled?.position == null) return 0;
  let trimmed = 0;
  for (;;) {
    const batch = db
      .selectFrom('event')
      .select('id')
      .where('position', '<=', handled.position)
      .where('occurred_at', '<', beforeMs)
      .orderBy('position')
      .limit(BATCH);
    const { numDeletedRows } = await db.deleteFrom('event').where('id', 'in', batch).executeTakeFirstOrThrow();
    trimmed += Number(numDeletedRows);
    if (numDeletedRows < BATCH) return trimmed;
  }
}
