import { Type } from '@vic/http';
import { type RestRoutes, auditSubject, parseListQuery, permits, principalOf, projectOf, sendPage } from '@vic/rest';
import type { CatalogDeps } from './catalog-services.ts';
import { REPOSITORY_FIELDS, RepositoryCatalog, repositoryBody } from './repository-catalog.ts';
import {
  REPOSITORIES,
  REPOSITORY,
  actorOf,
  breakGlassNote,
  placeOf,
  repositoryNotFound,
} from './repository-request.ts';

const MAX_DESCRIPTION_LENGTH = 64 * 1024;
const RepositoryUpdate = Type.Object({ description: Type.String({ maxLength: MAX_DESCRIPTION_LENGTH }) });

/** Harbor's `/repositories` and `/projects/{project_name}/repositories`. */
export function repositoryRoutes(deps: CatalogDeps): RestRoutes {
  const catalog = new RepositoryCatalog(deps.database);
  return (app) => {
    app.get('/repositories', permits({ scope: 'public' }), async (request, reply) => {
      const query = parseListQuery(request, REPOSITORY_FIELDS);
      const page = await catalog.list(await deps.projects.visibleTo(principalOf(request)), query);
      return sendPage(request, reply, query, { items: page.items.map(repositoryBody), total: page.total });
    });
    app.get(
      REPOSITORIES,
      permits({ scope: 'project', resource: 'repository', action: 'list' }),
      async (request, reply) => {
        const query = parseListQuery(request, REPOSITORY_FIELDS);
        const page = await catalog.list([projectOf(request).id], query);
        return sendPage(request, reply, query, { items: page.items.map(repositoryBody), total: page.total });
      },
    );
    app.get(REPOSITORY, permits({ scope: 'project', resource: 'repository', action: 'read' }), async (request) => {
      const { repository } = placeOf(request);
      const found = await catalog.find(repository);
      if (found === undefined) throw repositoryNotFound(repository);
      return repositoryBody(found);
    });
    registerChanges(app, deps);
  };
}

function registerChanges(app: Parameters<RestRoutes>[0], { store }: CatalogDeps): void {
  app.put(
    REPOSITORY,
    {
      schema: { body: RepositoryUpdate },
      ...permits(
        { scope: 'project', resource: 'repository', action: 'update' },
        { operation: 'update', resourceType: 'repository' },
      ),
    },
    async (request, reply) => {
      const { project, repository } = placeOf(request);
      auditSubject(request, repository, project);
      if ((await store.findRepository(repository)) === undefined) throw repositoryNotFound(repository);
      await store.describeRepository(repository, request.body.description);
      await reply.code(200).send();
    },
  );
  app.delete(
    REPOSITORY,
    permits(
      { scope: 'project', resource: 'repository', action: 'delete' },
      { operation: 'delete', resourceType: 'repository' },
    ),
    async (request, reply) => {
      const place = placeOf(request);
      auditSubject(request, `${place.repository}${breakGlassNote(request)}`, place.project);
      if ((await store.findRepository(place.repository)) === undefined) throw repositoryNotFound(place.repository);
      await store.deleteRepository(place, actorOf(request));
      await reply.code(200).send();
    },
  );
}
