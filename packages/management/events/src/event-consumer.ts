import type { StoredEvent } from './stored-event.ts';

/** Someone who is told of every event, from the first one after it was registered for the first time. */
export interface EventConsumer {
  /** The name its progress is kept under; never given to another. */
  readonly name: string;
  /**
   * Handles events, in order and at least once: what throws is told again, later, with all that follow.
   * Only one process at a time calls the consumer of a name.
   */
  consume(events: readonly StoredEvent[], signal: AbortSignal): Promise<void>;
}

/** How far a consumer is behind. */
export interface ConsumerLag {
  readonly consumer: string;
  readonly events: number;
  /** The age of the oldest event it has not handled; 0 when there is none. */
  readonly ageMs: number;
  /** Failures since its last success. */
  readonly failures: number;
  readonly lastError: string | undefined;
}
