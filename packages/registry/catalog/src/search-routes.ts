import { Type } from '@vic/http';
import { type RestRoutes, permits, principalOf } from '@vic/rest';
import { type Database, type Executor, containsText, sql } from '@vic/sql';
import type { CatalogDeps } from './catalog-services.ts';
import { countListed } from './visible-artifacts.ts';

/** More results than a person looks through; Harbor's answer has no pages. */
const MAX_RESULTS = 500;

const SearchQuery = Type.Object({ q: Type.Optional(Type.String({ maxLength: 255 })) });

/** Harbor's `/search`: projects and repositories whose names contain a text, of those that the caller may see. */
export function searchRoutes(deps: CatalogDeps): RestRoutes {
  return (app) => {
    app.get('/search', { schema: { querystring: SearchQuery }, ...permits({ scope: 'public' }) }, async (request) => {
      const principal = principalOf(request);
      const text = request.query.q ?? '';
      const visible = await deps.projects.visibleTo(principal);
      const [projectIds, repositories] = await Promise.all([
        findProjects(deps.database.db, visible, text),
        findRepositories(deps.database, visible, text),
      ]);
      return { project: await deps.projects.describe(projectIds, principal), repository: repositories };
    });
  };
}

async function findProjects(
  db: Executor,
  visible: readonly number[] | 'all',
  text: string,
): Promise<readonly number[]> {
  let rows = db.selectFrom('projects').select('id').orderBy('name').limit(MAX_RESULTS);
  if (visible !== 'all') {
    if (visible.length === 0) return [];
    rows = rows.where('id', 'in', visible);
  }
  if (text !== '') rows = rows.where(containsText(sql<string>`name`, text));
  return (await rows.execute()).map(({ id }) => id);
}

async function findRepositories(
  { db }: Database,
  visible: readonly number[] | 'all',
  text: string,
): Promise<readonly Record<string, unknown>[]> {
  let query = db
    .selectFrom('repositories')
    .innerJoin('projects', 'projects.id', 'repositories.project_id')
    .select(['repositories.id', 'repositories.project_id', 'repositories.name', 'repositories.pull_count'])
    .select(['projects.name as project_name', 'projects.public'])
    .where('repositories.listed', '=', 1)
    .orderBy('repositories.name')
    .limit(MAX_RESULTS);
  if (visible !== 'all') {
    if (visible.length === 0) return [];
    query = query.where('repositories.project_id', 'in', visible);
  }
  if (text !== '') query = query.where(containsText(sql<string>`repositories.name`, text));
  const rows = await query.execute();
  const counts = await countListed(db, { ids: rows.map(({ id }) => id) });
  return rows.map((row) => ({
    project_id: row.project_id,
    project_name: row.project_name,
    project_public: row.public === 1,
    repository_name: row.name,
    pull_count: row.pull_count,
    artifact_count: counts.get(row.id) ?? 0,
  }));
}
