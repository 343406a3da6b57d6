import { VicError } from '@vic/errors';
import {
  type Database,
  type Executor,
  type RawBuilder,
  type Schema,
  type Selectable,
  sql,
  type ListRequest,
  type ListPage,
  type ListSort,
} from '@vic/sql';
import { UNLIMITED, checkStorageLimit } from './storage-limit.ts';
import { usedBytes } from './used-bytes.ts';

/** How much a project stores, and may. */
export interface StorageUse {
  /** −1 for no limit. */
  readonly limitBytes: number;
  readonly usedBytes: number;
}

/** The limit of one project. */
export interface Quota extends StorageUse {
  readonly id: number;
  readonly projectId: number;
  readonly projectName: string;
  /** Absent when the owner is gone. */
  readonly ownerName: string | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What {@link Quotas} is composed of. */
export interface QuotasDeps {
  readonly database: Database;
  /** The limit of projects that are made without one: the setting `storage_per_project`. */
  defaultLimitBytes(): Promise<number>;
  readonly now?: () => number;
}

/** What a list of quotas can be sorted by. */
export const QUOTA_SORT_KEYS = ['id', 'hard.storage', 'used.storage', 'creation_time', 'update_time'] as const;

/** The storage limits of projects, and their use. */
export class Quotas {
  readonly #deps: QuotasDeps;
  readonly #now: () => number;

  constructor(deps: QuotasDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** Part of a project's creation; the default when no limit is given. */
  async create(transaction: Executor, projectId: number, limitBytes: number | undefined): Promise<void> {
    const limit = limitBytes ?? (await this.#deps.defaultLimitBytes());
    checkStorageLimit(limit);
    const now = this.#now();
    await transaction
      .insertInto('quotas')
      .values({ project_id: projectId, storage_limit_bytes: limit, created_at_ms: now, updated_at_ms: now })
      .execute();
  }

  /** Replaces the limit of a project. */
  async set(executor: Executor, projectId: number, limitBytes: number): Promise<void> {
    checkStorageLimit(limitBytes);
    await executor
      .updateTable('quotas')
      .set({ storage_limit_bytes: limitBytes, updated_at_ms: this.#now() })
      .where('project_id', '=', projectId)
      .execute();
  }

  /** The limit and the use of a project; without a limit when there is no such project. */
  async read(projectId: number): Promise<StorageUse> {
    const row = await this.#deps.database.db
      .selectNoFrom([
        sql<number | null>`(select storage_limit_bytes from quotas where project_id = ${projectId})`.as('limit_bytes'),
        usedBytes(sql`${projectId}`).as('used_bytes'),
      ])
      .executeTakeFirstOrThrow();
    return { limitBytes: row.limit_bytes ?? UNLIMITED, usedBytes: row.used_bytes };
  }

  async get(id: number): Promise<Quota> {
    const row = await this.#select().where('quotas.id', '=', id).executeTakeFirst();
    if (row !== undefined) return quotaOfRow(row);
    throw new VicError({ class: 'NotFound', code: 'QUOTA_NOT_FOUND', message: `quota ${id} not found` });
  }

  /** The quotas of all projects, or of one. */
  async list(query: ListRequest, projectId: number | undefined): Promise<ListPage<Quota>> {
    const { db } = this.#deps.database;
    let rows = this.#select();
    let counted = db.selectFrom('quotas').select((e) => e.fn.countAll<number>().as('total'));
    if (projectId !== undefined) {
      rows = rows.where('quotas.project_id', '=', projectId);
      counted = counted.where('quotas.project_id', '=', projectId);
    }
    const sort = query.sort.length > 0 ? query.sort : [{ field: 'creation_time', descending: true }];
    for (const key of sort) rows = rows.orderBy(sortExpression(key), key.descending ? 'desc' : 'asc');
    const page = await rows
      .orderBy('quotas.id')
      .limit(query.pageSize)
      .offset((query.page - 1) * query.pageSize)
      .execute();
    const { total } = await counted.executeTakeFirstOrThrow();
    return { items: page.map(quotaOfRow), total: Number(total) };
  }

  /** A limit below the present use is accepted; further pushes are then denied. */
  async update(quota: Quota, limitBytes: number): Promise<void> {
    await this.set(this.#deps.database.db, quota.projectId, limitBytes);
  }

  #select() {
    return this.#deps.database.db
      .selectFrom('quotas')
      .innerJoin('projects', 'projects.id', 'quotas.project_id')
      .leftJoin('users', 'users.id', 'projects.owner_id')
      .selectAll('quotas')
      .select(['projects.name as project_name', 'users.name as owner_name'])
      .select(usedBytes(sql.ref('quotas.project_id')).as('used_bytes'));
  }
}

interface QuotaRow extends Selectable<Schema['quotas']> {
  readonly project_name: string;
  readonly owner_name: string | null;
  readonly used_bytes: number;
}

function quotaOfRow(row: QuotaRow): Quota {
  return {
    id: row.id,
    projectId: row.project_id,
    projectName: row.project_name,
    ownerName: row.owner_name ?? undefined,
    limitBytes: row.storage_limit_bytes,
    usedBytes: row.used_bytes,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

/** No limit is the greatest. */
function sortExpression({ field }: ListSort): RawBuilder<unknown> {
  switch (field) {
    case 'hard.storage':
      return sql`case when storage_limit_bytes < 0 then 9223372036854775807 else storage_limit_bytes end`;
    case 'used.storage':
      return sql.ref('used_bytes');
    case 'update_time':
      return sql.ref('quotas.updated_at_ms');
    case 'creation_time':
      return sql.ref('quotas.created_at_ms');
    default:
      return sql.ref('quotas.id');
  }
}
