import type { Generated } from 'kysely';

/** The tables of `events`. */
export interface EventsTables {
  event: EventTable;
  event_sequence: EventSequenceTable;
  event_consumer: EventConsumerTable;
}

/** What happened. */
export interface EventTable {
  id: Generated<number>;
  /** The order consumers see, given after the commit; `null` until then. */
  position: number | null;
  type: string;
  /** JSON. */
  body: string;
  occurred_at: number;
}

/** One row: the last position given. */
export interface EventSequenceTable {
  id: number;
  last_position: number;
}

/** How far each consumer has come, and which process is at it. */
export interface EventConsumerTable {
  name: string;
  position: number;
  lease_owner: string | null;
  lease_until: number;
  failures: number;
  last_error: string | null;
  /** When a process last worked for it. */
  seen_at: number;
}
