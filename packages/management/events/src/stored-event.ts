import type { RegistryEvent } from '@vic/registry-api';
import { type Executor, type Selectable, type Schema } from '@vic/sql';

/** An event as consumers get it. */
export interface StoredEvent {
  /** Its place in the order of all events; never used twice. */
  readonly position: number;
  readonly occurredAtMs: number;
  readonly event: RegistryEvent;
}

/** Writes an event to the outbox, in the transaction of the change it tells of. */
export async function appendEvent(transaction: Executor, event: RegistryEvent, nowMs = Date.now()): Promise<void> {
  const { type, ...body } = event;
  await transaction
    .insertInto('event')
    .values({ type, body: JSON.stringify(body), occurred_at: nowMs })
    .execute();
}

/** The events after a position, in order: those that were given one. */
export async function readEvents(db: Executor, after: number, limit: number): Promise<readonly StoredEvent[]> {
  const rows = await db
    .selectFrom('event')
    .selectAll()
    .where('position', '>', after)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map(toStoredEvent);
}

function toStoredEvent(row: Selectable<Schema['event']>): StoredEvent {
  const body = JSON.parse(row.body) as Omit<RegistryEvent, 'type'>;
  return {
    position: row.position ?? 0,
    occurredAtMs: row.occurred_at,
    event: { type: row.type, ...body } as RegistryEvent,
  };
}
