import type { Executor } from '@vic/sql';
import type { ConsumerLag } from './event-consumer.ts';

/** How far every consumer there ever was is behind; events that have no position yet count too. */
export async function readLag(db: Executor, nowMs: number): Promise<readonly ConsumerLag[]> {
  const consumers = await db.selectFrom('event_consumer').selectAll().orderBy('name').execute();
  return Promise.all(
    consumers.map(async (consumer) => {
      const waiting = await db
        .selectFrom('event')
        .select((column) => [column.fn.countAll<number>().as('events'), column.fn.min('occurred_at').as('oldest')])
        .where((column) => column.or([column('position', '>', consumer.position), column('position', 'is', null)]))
        .executeTakeFirst();
      return {
        consumer: consumer.name,
        events: waiting?.events ?? 0,
        ageMs: waiting?.oldest == null ? 0 : Math.max(0, nowMs - waiting.oldest),
        failures: consumer.failures,
        lastError: consumer.last_error ?? undefined,
      };
    }),
  );
}
