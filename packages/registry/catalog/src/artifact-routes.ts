import { type HttpReply, type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, parseListQuery, permits, projectOf, sendPage } from '@vic/rest';
import { ArtifactCatalog, type ArtifactRow } from './artifact-catalog.ts';
import { registerArtifactChanges } from './artifact-change-routes.ts';
import { parseCursor } from './artifact-cursor.ts';
import { ARTIFACT_FIELDS } from './artifact-filter.ts';
import { ARTIFACT_VIEW, ArtifactPresenter, acceptedReportsOf } from './artifact-presenter.ts';
import type { CatalogDeps } from './catalog-services.ts';
import {
  ARTIFACT,
  REPOSITORY,
  artifactNotFound,
  placeOf,
  referenceOf,
  repositoryNotFound,
} from './repository-request.ts';

const View = Type.Object(ARTIFACT_VIEW);
const RepositoryView = Type.Object({ ...ARTIFACT_VIEW, cursor: Type.Optional(Type.String({ maxLength: 64 })) });
const ProjectView = Type.Object({ ...ARTIFACT_VIEW, latest_in_repository: Type.Optional(Type.Boolean()) });

/** Harbor's artifacts: lists, one by digest or tag, deletion, copy. */
export function artifactRoutes(deps: CatalogDeps): RestRoutes {
  const catalog = new ArtifactCatalog(deps.database);
  return (app) => {
    const presenter = new ArtifactPresenter(deps, app.prefix);
    app.get(
      `${REPOSITORY}/artifacts`,
      {
        schema: { querystring: RepositoryView },
        ...permits({ scope: 'project', resource: 'artifact', action: 'list' }),
      },
      async (request, reply) => {
        const { repository } = placeOf(request);
        const query = parseListQuery(request, ARTIFACT_FIELDS);
        const found = await deps.store.findRepository(repository);
        if (found === undefined) throw repositoryNotFound(repository);
        const cursor = request.query.cursor === undefined ? undefined : parseCursor(request.query.cursor);
        const page = await catalog.ofRepository(found.id, query, cursor);
        const items = await presenter.bodies(page.items, request.query, acceptedReportsOf(request));
        const sent = sendPage(request, reply, query, { items, total: page.total });
        continueAt(reply, page.next);
        return sent;
      },
    );
    app.get(
      '/projects/:project_name_or_id/artifacts',
      { schema: { querystring: ProjectView }, ...permits({ scope: 'project', resource: 'artifact', action: 'list' }) },
      async (request, reply) => {
        const query = parseListQuery(request, ARTIFACT_FIELDS);
        const latest = request.query.latest_in_repository === true;
        const page = await catalog.ofProject(projectOf(request).id, query, latest);
        const items = await presenter.bodies(page.items, request.query, acceptedReportsOf(request));
        return sendPage(request, reply, query, { items, total: page.total });
      },
    );
    app.get(
      ARTIFACT,
      { schema: { querystring: View }, ...permits({ scope: 'project', resource: 'artifact', action: 'read' }) },
      async (request) => {
        const artifact = await requestedArtifact(deps, catalog, request);
        const [body] = await presenter.bodies([artifact], request.query, acceptedReportsOf(request));
        return body;
      },
    );
    registerArtifactChanges(app, deps);
  };
}

/** The artifact that the path of a request names. */
export async function requestedArtifact(
  { store }: CatalogDeps,
  catalog: ArtifactCatalog,
  request: HttpRequest,
): Promise<ArtifactRow> {
  const { repository } = placeOf(request);
  const reference = referenceOf(request);
  const artifact = await store.resolve(repository, reference);
  const [row] = artifact === undefined ? [] : await catalog.byDigest(artifact.repositoryId, [artifact.digest]);
  if (row === undefined) throw artifactNotFound(repository, reference);
  return row;
}

/** Adds the cursor to the link to the next page, so that it need not count through those before. */
function continueAt(reply: HttpReply, next: string | undefined): void {
  const link = reply.getHeader('link');
  if (next === undefined || typeof link !== 'string') return;
  void reply.header(
    'link',
    link.replace(/<([^>]*)>; rel="next"/, (_, target: string) => `<${withCursor(target, next)}>; rel="next"`),
  );
}

function withCursor(target: string, cursor: string): string {
  const [path = '', search = ''] = target.split('?');
  const parameters = new URLSearchParams(search);
  parameters.set('cursor', cursor);
  return `${path}?${parameters.toString()}`;
}
