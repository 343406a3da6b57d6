import type { Database, Executor, Schema, Selectable } from '@vic/sql';

/** One reference that an event-based policy still has to bring to its destination. */
export interface PendingItem {
  readonly id: number;
  readonly policyId: number;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly operation: 'copy' | 'delete';
  /** The digest that was deleted. */
  readonly digest: string;
  readonly revision: number;
  readonly sinceMs: number;
  readonly attempts: number;
}

/** What is to be brought over. */
export type NewPending = Pick<PendingItem, 'policyId' | 'repository' | 'reference' | 'operation' | 'digest'>;

/** How far a policy's destination is behind. */
export interface PolicyLag {
  readonly policyId: number;
  /** References that wait, those that a gate holds back included. */
  readonly pending: number;
  readonly held: number;
  /** Of those that wait: what the destination refuses for good; tried again at each full comparison. */
  readonly refused: number;
  /** Age of the oldest that is not held back; 0 when there is none. */
  readonly ageMs: number;
  readonly lastError: string;
}

/** Longer than a task is expected to be without a sign of life. */
const CLAIM_MS = 15 * 60_000;
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 5 * 60_000;
/** Artifacts held back are looked at again now and then, besides when something happens to them. */
const HELD_RETRY_MS = 10 * 60_000;

/** No time makes it due. */
const UNTIL_COMPARED_MS = 100 * 365 * 24 * 3600_000;

/** The work that event-based policies have left: durable, one entry per policy and reference. */
export class PendingWork {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #firstRetryMs: number;

  constructor(
    database: Database,
    options: { readonly now?: (() => number) | undefined; readonly firstRetryMs?: number | undefined } = {},
  ) {
    this.#database = database;
    this.#now = options.now ?? Date.now;
    this.#firstRetryMs = options.firstRetryMs ?? FIRST_RETRY_MS;
  }

  /** Adds work; what waits already for the same reference is replaced, and keeps its age. */
  async add(items: readonly NewPending[]): Promise<void> {
    const nowMs = this.#now();
    for (const item of items) {
      await this.#database.db
        .insertInto('replication_pending')
        .values({
          policy_id: item.policyId,
          repository: item.repository,
          reference: item.reference,
          operation: item.operation,
          digest: item.digest,
          revision: 1,
          since_ms: nowMs,
          attempts: 0,
          due_at_ms: nowMs,
          state: 'waiting',
          last_error: '',
        })
        .onConflict((conflict) =>
          conflict.columns(['policy_id', 'repository', 'reference']).doUpdateSet((update) => ({
            operation: item.operation,
            digest: item.digest,
            revision: update('replication_pending.revision', '+', 1),
            // A target that is away is not asked more often because more was pushed meanwhile.
            due_at_ms: update
              .case()
              .when('replication_pending.state', 'in', ['held', 'refused'])
              .then(nowMs)
              .else(update.ref('replication_pending.due_at_ms'))
              .end(),
          })),
        )
        .execute();
    }
  }

  /** Policies that have something to do now, of those that are enabled. */
  async duePolicies(): Promise<readonly number[]> {
    const rows = await this.#database.db
      .selectFrom('replication_pending')
      .innerJoin('replication_policies', 'replication_policies.id', 'replication_pending.policy_id')
      .select('replication_pending.policy_id')
      .distinct()
      .where('replication_pending.due_at_ms', '<=', this.#now())
      .where('replication_policies.enabled', '=', 1)
      .execute();
    return rows.map((row) => row.policy_id);
  }

  /**
   * Takes what a policy has to do now, oldest first, in the transaction that hands it to somebody.
   *
   * What is neither done nor put off for {@link CLAIM_MS} is due again.
   */
  async claim(policyId: number, limit: number, transaction: Executor): Promise<readonly PendingItem[]> {
    const nowMs = this.#now();
    const rows = await transaction
      .selectFrom('replication_pending')
      .selectAll()
      .where('policy_id', '=', policyId)
      .where('due_at_ms', '<=', nowMs)
      .orderBy('id')
      .limit(limit)
      .execute();
    if (rows.length === 0) return [];
    await transaction
      .updateTable('replication_pending')
      .set({ due_at_ms: nowMs + CLAIM_MS })
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute();
    return rows.map(itemOf);
  }

  /** What a policy still has to do of the references given. */
  async find(policyId: number, repository: string, references: readonly string[]): Promise<readonly PendingItem[]> {
    if (references.length === 0) return [];
    const rows = await this.#database.db
      .selectFrom('replication_pending')
      .selectAll()
      .where('policy_id', '=', policyId)
      .where('repository', '=', repository)
      .where('reference', 'in', references)
      .orderBy('id')
      .execute();
    return rows.map(itemOf);
  }

  /** Ends work that is done; what changed since it was read is due again. */
  async done(item: PendingItem): Promise<void> {
    await this.#database.db
      .deleteFrom('replication_pending')
      .where('id', '=', item.id)
      .where('revision', '=', item.revision)
      .execute();
    await this.#database.db
      .updateTable('replication_pending')
      .set({ due_at_ms: this.#now(), attempts: 0, last_error: '' })
      .where('id', '=', item.id)
      .execute();
  }

  /** Puts work off that failed, longer each time. */
  async failed(item: PendingItem, error: string): Promise<void> {
    await this.#putOff(item, 'waiting', error, this.#retryMs(item.attempts));
  }

  /** Puts work off that a gate does not let pass; what happened to it since it was read may, so it is due again. */
  async held(item: PendingItem, reason: string): Promise<void> {
    await this.#putOff(item, 'held', reason, HELD_RETRY_MS);
    await this.#hurryIfChanged(item);
  }

  /**
   * Keeps account of work that the destination refuses for good, until a full comparison tries it again; what changed
   * since it was read is due again.
   */
  async refused(item: PendingItem, error: string): Promise<void> {
    await this.#putOff(item, 'refused', error, UNTIL_COMPARED_MS);
    await this.#hurryIfChanged(item);
  }

  /** What the destination refused for good of a policy, or of one of its repositories. */
  async refusedOf(policyId: number, repository?: string): Promise<readonly PendingItem[]> {
    let query = this.#database.db
      .selectFrom('replication_pending')
      .selectAll()
      .where('policy_id', '=', policyId)
      .where('state', '=', 'refused');
    if (repository !== undefined) query = query.where('repository', '=', repository);
    return (await query.execute()).map(itemOf);
  }

  /** Forgets what a full comparison that began after it was read found to be refused no longer. */
  async forgetRefused(items: readonly PendingItem[]): Promise<void> {
    for (const { id, revision } of items) {
      // Pushed again meanwhile, it waits for something else.
      await this.#database.db
        .deleteFrom('replication_pending')
        .where('id', '=', id)
        .where('revision', '=', revision)
        .where('state', '=', 'refused')
        .where('due_at_ms', '>', this.#now())
        .execute();
    }
  }

  /** Puts everything off that a policy has to do, because its destination cannot be reached. */
  async unreachable(policyId: number, error: string): Promise<void> {
    const nowMs = this.#now();
    const worst = await this.#database.db
      .selectFrom('replication_pending')
      .select(({ fn }) => fn.max('attempts').as('attempts'))
      .where('policy_id', '=', policyId)
      .where('due_at_ms', '<=', nowMs)
      .executeTakeFirst();
    await this.#database.db
      .updateTable('replication_pending')
      .set((update) => ({
        attempts: update('attempts', '+', 1),
        due_at_ms: nowMs + this.#retryMs(worst?.attempts ?? 0),
        state: 'waiting',
        last_error: error.slice(0, MAX_ERROR_LENGTH),
      }))
      .where('policy_id', '=', policyId)
      .where('due_at_ms', '<=', nowMs)
      .execute();
  }

  /** Makes everything due that waits for a policy. */
  async hurry(policyId: number): Promise<void> {
    await this.#database.db
      .updateTable('replication_pending')
      .set({ due_at_ms: this.#now() })
      .where('policy_id', '=', policyId)
      .execute();
  }

  /** How far destinations are behind; policies with nothing to do are left out. */
  async lag(executor: Executor = this.#database.db): Promise<ReadonlyMap<number, PolicyLag>> {
    const rows = await executor
      .selectFrom('replication_pending')
      .select(({ fn }) => [
        'policy_id',
        'state',
        fn.countAll<number>().as('count'),
        fn.min('since_ms').as('since_ms'),
        fn.max('last_error').as('last_error'),
      ])
      .groupBy(['policy_id', 'state'])
      .execute();
    const lags = new Map<number, PolicyLag>();
    for (const row of rows) {
      const before = lags.get(row.policy_id);
      const isHeld = row.state === 'held';
      lags.set(row.policy_id, {
        policyId: row.policy_id,
        pending: (before?.pending ?? 0) + Number(row.count),
        held: (before?.held ?? 0) + (isHeld ? Number(row.count) : 0),
        refused: (before?.refused ?? 0) + (row.state === 'refused' ? Number(row.count) : 0),
        ageMs: Math.max(before?.ageMs ?? 0, isHeld ? 0 : Math.max(this.#now() - Number(row.since_ms), 0)),
        lastError: before === undefined || !isHeld ? row.last_error : before.lastError,
      });
    }
    return lags;
  }

  async #putOff(
    item: PendingItem,
    state: 'waiting' | 'held' | 'refused',
    error: string,
    pauseMs: number,
  ): Promise<void> {
    await this.#database.db
      .updateTable('replication_pending')
      .set({
        attempts: item.attempts + 1,
        due_at_ms: this.#now() + pauseMs,
        state,
        last_error: error.slice(0, MAX_ERROR_LENGTH),
      })
      .where('id', '=', item.id)
      .execute();
  }

  async #hurryIfChanged(item: PendingItem): Promise<void> {
    await this.#database.db
      .updateTable('replication_pending')
      .set({ due_at_ms: this.#now() })
      .where('id', '=', item.id)
      .where('revision', '!=', item.revision)
      .execute();
  }

  /** Jitter keeps the policies of one destination from coming back all at once. */
  #retryMs(attempts: number): number {
    const pauseMs = Math.min(this.#firstRetryMs * 2 ** Math.min(attempts, 20), MAX_RETRY_MS);
    return Math.round(pauseMs * (0.75 + Math.random() / 4));
  }
}

const MAX_ERROR_LENGTH = 1000;

function itemOf(row: Selectable<Schema['replication_pending']>): PendingItem {
  return {
    id: row.id,
    policyId: row.policy_id,
    repository: row.repository,
    reference: row.reference,
    operation: row.operation === 'delete' ? 'delete' : 'copy',
    digest: row.digest,
    revision: row.revision,
    sinceMs: row.since_ms,
    attempts: row.attempts,
  };
}
