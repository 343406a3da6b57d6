import { VicError } from '@vic/errors';
import type { Executor } from '@vic/sql';

/** A process that is killed leaves its consumers to others after this. */
const LEASE_MS = 30_000;
const MAX_ERROR_LENGTH = 1000;

/** A consumer's place in the outbox, and the right of one process to move it. */
export class ConsumerCursor {
  readonly #db: Executor;
  readonly #name: string;
  readonly #owner: string;
  /** Where it is for as long as the lease is certainly ours, so that not every batch asks again. */
  #held: { readonly position: number; readonly untilMs: number } | undefined;

  constructor(db: Executor, name: string, owner: string) {
    this.#db = db;
    this.#name = name;
    this.#owner = owner;
  }

  /** Begins at the present end, unless the consumer has a place already. */
  async register(): Promise<void> {
    await this.#db
      .insertInto('event_consumer')
      .columns(['name', 'position', 'lease_until', 'failures', 'seen_at'])
      .expression((build) =>
        build
          .selectFrom('event_sequence')
          .select((column) => [
            column.val(this.#name).as('name'),
            'last_position',
            column.lit(0).as('lease_until'),
            column.lit(0).as('failures'),
            column.val(Date.now()).as('seen_at'),
          ])
          // SQLite takes ON CONFLICT after a SELECT for a join without a WHERE.
          .where('id', '=', 1),
      )
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }

  /** Takes the lease unless it is ours for long enough; the place, or `undefined` while another process has it. */
  async acquire(): Promise<number | undefined> {
    const held = this.#held;
    return held !== undefined && held.untilMs > performance.now() ? held.position : this.#prolong();
  }

  async #prolong(): Promise<number | undefined> {
    const now = Date.now();
    const untilMs = performance.now() + LEASE_MS / 2;
    const row = await this.#db
      .updateTable('event_consumer')
      .set({ lease_owner: this.#owner, lease_until: now + LEASE_MS, seen_at: now })
      .where('name', '=', this.#name)
      .where((column) => column.or([column('lease_owner', '=', this.#owner), column('lease_until', '<', now)]))
      .returning('position')
      .executeTakeFirst();
    this.#held = row === undefined ? undefined : { position: row.position, untilMs };
    return row?.position;
  }

  /** Runs an operation, prolonging the lease for as long as it takes. */
  async holding(outer: AbortSignal, operation: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const lost = new AbortController();
    let prolonging = Promise.resolve();
    const prolong = async (): Promise<void> => {
      if ((await this.#prolong()) === undefined) lost.abort(leaseLost(this.#name));
    };
    const timer = setInterval(() => {
      // The next attempt may succeed; if none does, the lease runs out and `advance` notices.
      prolonging = prolonging.then(prolong).catch(() => undefined);
    }, LEASE_MS / 3);
    try {
      await operation(AbortSignal.any([outer, lost.signal]));
    } finally {
      clearInterval(timer);
      // What it answers is of before: it must neither set the place back nor take a lease that is given up.
      await prolonging;
    }
  }

  /** Moves on after a success. */
  async advance(position: number): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('event_consumer')
      .set({ position, failures: 0, last_error: null })
      .where('name', '=', this.#name)
      .where('lease_owner', '=', this.#owner)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) {
      this.#held = undefined;
      throw leaseLost(this.#name);
    }
    this.#held &&= { ...this.#held, position };
  }

  /** Notes a failure and gives how many there were in a row. */
  async fail(reason: string): Promise<number> {
    const row = await this.#db
      .updateTable('event_consumer')
      .set((column) => ({ failures: column('failures', '+', 1), last_error: reason.slice(0, MAX_ERROR_LENGTH) }))
      .where('name', '=', this.#name)
      .where('lease_owner', '=', this.#owner)
      .returning('failures')
      .executeTakeFirst();
    return row?.failures ?? 1;
  }

  /** Lets another process go on at once. */
  async release(): Promise<void> {
    this.#held = undefined;
    await this.#db
      .updateTable('event_consumer')
      .set({ lease_owner: null, lease_until: 0 })
      .where('name', '=', this.#name)
      .where('lease_owner', '=', this.#owner)
      .execute();
  }
}

function leaseLost(name: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'EVENTS_LEASE_LOST',
    message: `Another process has taken over the event consumer "${name}".`,
  });
}
