import type { ListFields } from '@vic/rest';
import {
  type Database,
  type ListMapping,
  type Schema,
  type Selectable,
  fetchPage,
  type ListRequest,
  type ListPage,
} from '@vic/sql';
import { countListed } from './visible-artifacts.ts';

/** A repository with what is in it. */
export interface ListedRepository extends Selectable<Schema['repositories']> {
  readonly artifactCount: number;
}

const MAPPING: ListMapping = {
  columns: {
    id: { column: 'repositories.id', type: 'number' },
    repository_id: { column: 'repositories.id', type: 'number' },
    project_id: { column: 'repositories.project_id', type: 'number' },
    name: { column: 'repositories.name', type: 'text' },
    description: { column: 'repositories.description', type: 'text' },
    pull_count: { column: 'repositories.pull_count', type: 'number' },
    creation_time: { column: 'repositories.created_at_ms', type: 'time' },
    update_time: { column: 'repositories.updated_at_ms', type: 'time' },
  },
  defaultSort: ['-creation_time', '-id'],
};

/** What repositories can be filtered and sorted by. */
export const REPOSITORY_FIELDS: ListFields = {
  filter: Object.keys(MAPPING.columns),
  sort: Object.keys(MAPPING.columns),
};

/** Reads lists of repositories. */
export class RepositoryCatalog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The repositories of these projects, or of all. */
  async list(projectIds: readonly number[] | 'all', query: ListRequest): Promise<ListPage<ListedRepository>> {
    if (projectIds !== 'all' && projectIds.length === 0) return { items: [], total: 0 };
    const { db } = this.#database;
    let rows = db.selectFrom('repositories').selectAll('repositories').where('repositories.listed', '=', 1);
    if (projectIds !== 'all') rows = rows.where('repositories.project_id', 'in', projectIds);
    const { items, total } = await fetchPage(db, rows, query, MAPPING);
    return { items: await this.withCounts(items), total };
  }

  async find(name: string): Promise<ListedRepository | undefined> {
    const rows = await this.#database.db
      .selectFrom('repositories')
      .selectAll()
      .where('name', '=', name)
      .where('listed', '=', 1)
      .execute();
    const [repository] = await this.withCounts(rows);
    return repository;
  }

  /** The repositories, each with the number of artifacts a list of them has. */
  async withCounts(rows: readonly Selectable<Schema['repositories']>[]): Promise<ListedRepository[]> {
    const counts = await countListed(this.#database.db, { ids: rows.map(({ id }) => id) });
    return rows.map((row) => ({ ...row, artifactCount: counts.get(row.id) ?? 0 }));
  }
}

/** The repository in the API's form. */
export function repositoryBody(repository: ListedRepository): Record<string, unknown> {
  return {
    id: repository.id,
    project_id: repository.project_id,
    name: repository.name,
    description: repository.description,
    artifact_count: repository.artifactCount,
    pull_count: repository.pull_count,
    creation_time: new Date(repository.created_at_ms).toISOString(),
    update_time: new Date(repository.updated_at_ms).toISOString(),
  };
}
