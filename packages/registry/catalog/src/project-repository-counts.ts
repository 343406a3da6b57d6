import type { Database, Executor } from '@vic/sql';

/** The number of repositories in projects: the catalogue's part of projects and their summaries. */
export class ProjectRepositoryCounts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async repositoryCount(executor: Executor, projectId: number): Promise<number> {
    const { total } = await executor
      .selectFrom('repositories')
      .select((e) => e.fn.countAll<number>().as('total'))
      .where('project_id', '=', projectId)
      .where('listed', '=', 1)
      .executeTakeFirstOrThrow();
    return Number(total);
  }

  /** Projects without any are left out. */
  async repositoryCounts(projectIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (projectIds.length === 0) return new Map();
    const rows = await this.#database.db
      .selectFrom('repositories')
      .select((e) => ['project_id', e.fn.countAll<number>().as('total')])
      .where('project_id', 'in', projectIds)
      .where('listed', '=', 1)
      .groupBy('project_id')
      .execute();
    return new Map(rows.map((row) => [row.project_id, Number(row.total)]));
  }
}
