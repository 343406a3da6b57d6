import { type RestRoutes, permits, principalOf } from '@vic/rest';
import { type Executor, sql } from '@vic/sql';
import type { CatalogDeps } from './catalog-services.ts';

interface Counts {
  readonly public_projects: number;
  readonly public_repositories: number;
  readonly private_projects: number;
  readonly private_repositories: number;
}

/** Harbor's `/statistics`: what there is, of what the caller may see. */
export function statisticRoutes(deps: CatalogDeps): RestRoutes {
  return (app) => {
    app.get('/statistics', permits({ scope: 'authenticated' }), async (request) => {
      const visible = await deps.projects.visibleTo(principalOf(request));
      const counts = await countVisible(deps.database.db, visible);
      const everything = visible === 'all';
      return {
        public_project_count: counts.public_projects,
        public_repo_count: counts.public_repositories,
        private_project_count: counts.private_projects,
        private_repo_count: counts.private_repositories,
        total_project_count: everything ? counts.public_projects + counts.private_projects : 0,
        total_repo_count: everything ? counts.public_repositories + counts.private_repositories : 0,
        total_storage_consumption: everything ? await storedBytes(deps.database.db) : 0,
      };
    });
  };
}

async function countVisible(db: Executor, visible: readonly number[] | 'all'): Promise<Counts> {
  let projects = db.selectFrom('projects').select((e) => ['public', e.fn.countAll<number>().as('total')]);
  let repositories = db
    .selectFrom('repositories')
    .innerJoin('projects', 'projects.id', 'repositories.project_id')
    .select((e) => ['projects.public', e.fn.countAll<number>().as('total')])
    .where('repositories.listed', '=', 1);
  if (visible !== 'all') {
    const ids = visible.length === 0 ? [0] : visible;
    projects = projects.where('id', 'in', ids);
    repositories = repositories.where('projects.id', 'in', ids);
  }
  const [projectRows, repositoryRows] = await Promise.all([
    projects.groupBy('public').execute(),
    repositories.groupBy('projects.public').execute(),
  ]);
  const count = (rows: readonly { public: number; total: number }[], isPublic: number): number =>
    Number(rows.find((row) => row.public === isPublic)?.total ?? 0);
  return {
    public_projects: count(projectRows, 1),
    private_projects: count(projectRows, 0),
    public_repositories: count(repositoryRows, 1),
    private_repositories: count(repositoryRows, 0),
  };
}

/** Each blob and manifest once, however many projects have it. */
async function storedBytes(db: Executor): Promise<number> {
  const { bytes } = await db
    .selectNoFrom(
      sql<number>`
        (select cast(coalesce(sum(size_bytes), 0) as bigint) from blobs where state = 'live') +
        (select cast(coalesce(sum(size_bytes), 0) as bigint) from manifests)
      `.as('bytes'),
    )
    .executeTakeFirstOrThrow();
  return bytes;
}
