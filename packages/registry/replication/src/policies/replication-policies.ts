import { VicError } from '@vic/errors';
import { fetchPage, isForeignKeyViolation, isUniqueViolation } from '@vic/sql';
import type { Database, Executor, Insertable, ListMapping, Schema, Selectable, ListRequest, ListPage } from '@vic/sql';
import type {
  PolicySettings,
  PromotionRequirements,
  ReplicationFilter,
  ReplicationPolicy,
} from './replication-policy.ts';
import { validatePolicy } from './validate-policy.ts';

/** What policies are kept with. */
export interface PoliciesDeps {
  readonly database: Database;
  readonly now?: () => number;
}

type Row = Selectable<Schema['replication_policies']>;
type Columns = Omit<
  Insertable<Schema['replication_policies']>,
  'id' | 'creator' | 'reconciled_at_ms' | 'created_at_ms' | 'updated_at_ms'
>;

const LIST: ListMapping = {
  columns: {
    id: { column: 'id', type: 'number' },
    name: { column: 'name', type: 'text' },
    enabled: { column: 'enabled', type: 'flag' },
    creation_time: { column: 'created_at_ms', type: 'time' },
    update_time: { column: 'updated_at_ms', type: 'time' },
  },
  defaultSort: ['id'],
};

/** The replication policies of an installation. */
export class ReplicationPolicies {
  readonly #deps: PoliciesDeps;
  readonly #now: () => number;

  constructor(deps: PoliciesDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** Adds a policy. */
  async create(settings: PolicySettings, creator: string): Promise<ReplicationPolicy> {
    validatePolicy(settings);
    const nowMs = this.#now();
    return guarded(settings.name, async () => {
      const row = await this.#deps.database.db
        .insertInto('replication_policies')
        .values({
          ...columnsOf(settings),
          creator,
          reconciled_at_ms: null,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return policyOf(row);
    });
  }

  /** The policy with that id, or `NotFound`. */
  async get(id: number): Promise<ReplicationPolicy> {
    const row = await this.#deps.database.db
      .selectFrom('replication_policies')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    if (row !== undefined) return policyOf(row);
    throw new VicError({
      class: 'NotFound',
      code: 'REPLICATION_POLICY_NOT_FOUND',
      message: `replication policy ${id} not found`,
    });
  }

  /** A page of policies. */
  async list(query: ListRequest): Promise<ListPage<ReplicationPolicy>> {
    const { db } = this.#deps.database;
    const page = await fetchPage(db, db.selectFrom('replication_policies').selectAll(), query, LIST);
    return { items: page.items.map(policyOf), total: page.total };
  }

  /** The enabled policies that follow events of this registry. */
  async eventBased(executor: Executor = this.#deps.database.db): Promise<readonly ReplicationPolicy[]> {
    const rows = await executor
      .selectFrom('replication_policies')
      .selectAll()
      .where('enabled', '=', 1)
      .where('trigger_type', '=', 'event_based')
      .where('dest_registry_id', 'is not', null)
      .execute();
    return rows.map(policyOf);
  }

  /** Changes a policy; one that follows events compares both sides anew. */
  async update(id: number, settings: PolicySettings): Promise<ReplicationPolicy> {
    validatePolicy(settings);
    await guarded(settings.name, async () =>
      this.#deps.database.db
        .updateTable('replication_policies')
        // What happened while it was off, or was not its business, is found by comparing.
        .set({ ...columnsOf(settings), reconciled_at_ms: null, updated_at_ms: this.#now() })
        .where('id', '=', id)
        .execute(),
    );
    return this.get(id);
  }

  /** Removes a policy with what it still had to do. */
  async delete(id: number, executor: Executor = this.#deps.database.db): Promise<void> {
    await executor.deleteFrom('replication_policies').where('id', '=', id).execute();
  }

  /** Claims the next comparison of both sides: gives whether nobody else did since the policy was read. */
  async claimReconciliation({ id, reconciledAtMs }: ReplicationPolicy): Promise<boolean> {
    const { numUpdatedRows } = await this.#deps.database.db
      .updateTable('replication_policies')
      .set({ reconciled_at_ms: this.#now() })
      .where('id', '=', id)
      .where('reconciled_at_ms', reconciledAtMs === undefined ? 'is' : '=', reconciledAtMs ?? null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Has both sides compared once more: the destination was away, and nobody knows what has become of it. */
  async forgetReconciliation(id: number): Promise<void> {
    await this.#deps.database.db
      .updateTable('replication_policies')
      .set({ reconciled_at_ms: null })
      .where('id', '=', id)
      .where('reconciled_at_ms', 'is not', null)
      .execute();
  }

  /** Records that both sides were compared in full, unless they have to be once more since it began. */
  async markReconciled(id: number, executor: Executor = this.#deps.database.db): Promise<void> {
    await executor
      .updateTable('replication_policies')
      .set({ reconciled_at_ms: this.#now() })
      .where('id', '=', id)
      .where((where) =>
        where.or([where('reconciled_at_ms', 'is not', null), where('trigger_type', '!=', 'event_based')]),
      )
      .execute();
  }
}

function columnsOf(settings: PolicySettings): Columns {
  const { trigger } = settings;
  return {
    name: settings.name,
    description: settings.description,
    src_registry_id: settings.sourceId ?? null,
    dest_registry_id: settings.destinationId ?? null,
    dest_namespace: settings.destinationNamespace,
    dest_namespace_replace_count: settings.replaceCount,
    trigger_type: trigger.type,
    cron: trigger.type === 'scheduled' ? trigger.cron : '',
    filters: JSON.stringify(settings.filters),
    gate: JSON.stringify(settings.promotion),
    replicate_deletion: settings.replicateDeletion ? 1 : 0,
    override: settings.override ? 1 : 0,
    enabled: settings.enabled ? 1 : 0,
    speed_kib_per_second: Math.max(settings.speedKiBPerSecond, 0),
    copy_by_chunk: settings.copyByChunk ? 1 : 0,
    single_active: settings.singleActive ? 1 : 0,
  };
}

function policyOf(row: Row): ReplicationPolicy {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    creator: row.creator,
    sourceId: row.src_registry_id ?? undefined,
    destinationId: row.dest_registry_id ?? undefined,
    destinationNamespace: row.dest_namespace,
    replaceCount: row.dest_namespace_replace_count,
    trigger: triggerOf(row),
    filters: JSON.parse(row.filters) as ReplicationFilter[],
    promotion: JSON.parse(row.gate) as PromotionRequirements,
    replicateDeletion: row.replicate_deletion === 1,
    override: row.override === 1,
    enabled: row.enabled === 1,
    speedKiBPerSecond: row.speed_kib_per_second,
    copyByChunk: row.copy_by_chunk === 1,
    singleActive: row.single_active === 1,
    reconciledAtMs: row.reconciled_at_ms ?? undefined,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

function triggerOf(row: Row): ReplicationPolicy['trigger'] {
  if (row.trigger_type === 'scheduled') return { type: 'scheduled', cron: row.cron };
  return { type: row.trigger_type === 'event_based' ? 'event_based' : 'manual' };
}

async function guarded<T>(name: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (isUniqueViolation(error)) {
      throw new VicError({
        class: 'AlreadyExists',
        code: 'REPLICATION_POLICY_EXISTS',
        message: `policy ${name} already exists`,
        cause: error,
      });
    }
    if (!isForeignKeyViolation(error)) throw error;
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REPLICATION_POLICY_REGISTRY',
      message: 'the registry of the policy not found',
      cause: error,
    });
  }
}
