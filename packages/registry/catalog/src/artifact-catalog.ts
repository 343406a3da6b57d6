import {
  type Database,
  type Executor,
  type Expression,
  type ListMapping,
  type RawBuilder,
  type Schema,
  type SelectQueryBuilder,
  type Selectable,
  type SqlBool,
  applyListQuery,
  beforeKey,
  sql,
  type ListRequest,
  type ListPage,
} from '@vic/sql';
import { type ArtifactCursor, formatCursor } from './artifact-cursor.ts';
import { PROJECT_ARTIFACTS, REPOSITORY_ARTIFACTS, artifactConditions } from './artifact-filter.ts';
import { type CountedRepositories, countListed } from './visible-artifacts.ts';

/** An artifact's row with the name of its repository. */
export interface ArtifactRow extends Selectable<Schema['artifacts']> {
  /** With the project. */
  readonly repository: string;
}

/** A page of artifacts. */
export interface ArtifactPage extends ListPage<ArtifactRow> {
  /** Where the next page goes on, for lists in their default order. */
  readonly next: string | undefined;
}

type ArtifactQuery = SelectQueryBuilder<Schema, 'artifacts' | 'repositories', ArtifactRow>;

/** Reads lists of artifacts. */
export class ArtifactCatalog {
  readonly #db: Executor;

  constructor(database: Database) {
    this.#db = database.db;
  }

  /** The artifacts of a repository; after a cursor, without looking at those before it. */
  async ofRepository(repositoryId: number, query: ListRequest, cursor?: ArtifactCursor): Promise<ArtifactPage> {
    const inDefaultOrder = query.sort.length === 0;
    const all = this.#filtered(query, sql`${repositoryId}`).where('artifacts.repository_id', '=', repositoryId);
    const from = inDefaultOrder && cursor !== undefined ? after(all, cursor) : all;
    const items = await this.#page(from, query, REPOSITORY_ARTIFACTS, from !== all);
    const total = cursor?.total ?? (await this.#total(all, query, { items, counted: { ids: [repositoryId] } }));
    const last = items.at(-1);
    const next =
      inDefaultOrder && last !== undefined && items.length === query.pageSize
        ? formatCursor({ pushedAtMs: last.pushed_at_ms, id: last.id, total })
        : undefined;
    return { items, total, next };
  }

  /** The artifacts of a project; only the youngest of each repository when `latest`. */
  async ofProject(projectId: number, query: ListRequest, latest: boolean): Promise<ListPage<ArtifactRow>> {
    const repositories = sql`select id from repositories where project_id = ${projectId}`;
    let all = this.#filtered(query, repositories).where('artifacts.project_id', '=', projectId);
    if (latest) all = all.where(isLatest(projectId));
    const items = await this.#page(all, query, PROJECT_ARTIFACTS, false);
    return { items, total: await this.#total(all, query, { items, counted: latest ? undefined : { projectId } }) };
  }

  /** The members of this repository that these digests name. */
  async byDigest(repositoryId: number, digests: readonly string[]): Promise<readonly ArtifactRow[]> {
    if (digests.length === 0) return [];
    return this.#rows()
      .where('artifacts.repository_id', '=', repositoryId)
      .where('artifacts.digest', 'in', digests)
      .execute();
  }

  #rows(): ArtifactQuery {
    return this.#db
      .selectFrom('artifacts')
      .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
      .selectAll('artifacts')
      .select('repositories.name as repository');
  }

  #filtered(query: ListRequest, repositories: RawBuilder<unknown>): ArtifactQuery {
    return artifactConditions(query.filters, repositories).reduce(
      (rows, condition) => rows.where(condition),
      this.#rows(),
    );
  }

  async #page(
    rows: ArtifactQuery,
    query: ListRequest,
    mapping: ListMapping,
    skipped: boolean,
  ): Promise<readonly ArtifactRow[]> {
    const request = { ...query, filters: [], page: skipped ? 1 : query.page };
    return applyListQuery(rows, request, mapping).execute();
  }

  async #total(
    all: ArtifactQuery,
    query: ListRequest,
    first: { readonly items: readonly ArtifactRow[]; readonly counted: CountedRepositories | undefined },
  ): Promise<number> {
    const { items, counted } = first;
    if (items.length < query.pageSize && (items.length > 0 || query.page === 1)) {
      return (query.page - 1) * query.pageSize + items.length;
    }
    if (counted !== undefined && query.filters.length === 0) {
      const counts = await countListed(this.#db, counted);
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    }
    const matching = all.clearSelect().select((e) => e.fn.countAll<number>().as('total'));
    return Number((await matching.executeTakeFirst())?.total ?? 0);
  }
}

function after(rows: ArtifactQuery, { pushedAtMs, id }: ArtifactCursor): ArtifactQuery {
  return rows.where(beforeKey({ 'artifacts.pushed_at_ms': pushedAtMs, 'artifacts.id': id }));
}

function isLatest(projectId: number): Expression<SqlBool> {
  return sql<SqlBool>`artifacts.id in (
    select (
      select latest.id from artifacts as latest
      where latest.repository_id = repositories.id and latest.subject_digest is null
      order by latest.pushed_at_ms desc, latest.id desc limit 1
    ) from repositories where repositories.project_id = ${projectId}
  )`;
}
