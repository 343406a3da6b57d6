import { Type } from '@vic/http';
import { type ListFields, type RestRoutes, parseListQuery, permits, sendPage } from '@vic/rest';
import { type ListMapping, fetchPage } from '@vic/sql';
import { accessoryBody, tagBody } from './artifact-body.ts';
import { ArtifactCatalog } from './artifact-catalog.ts';
import { requestedArtifact } from './artifact-routes.ts';
import type { CatalogDeps } from './catalog-services.ts';
import { ARTIFACT } from './repository-request.ts';

const TAGS: ListMapping = {
  columns: {
    id: { column: 'tags.id', type: 'number' },
    name: { column: 'tags.name', type: 'text' },
    push_time: { column: 'tags.pushed_at_ms', type: 'time' },
    pull_time: { column: 'tags.pulled_at_ms', type: 'time' },
  },
  defaultSort: ['-id'],
};
const ACCESSORIES: ListMapping = {
  columns: {
    id: { column: 'artifacts.id', type: 'number' },
    type: { column: 'artifacts.accessory_type', type: 'text' },
    digest: { column: 'artifacts.digest', type: 'text' },
    size: { column: 'artifacts.size_bytes', type: 'number' },
    creation_time: { column: 'artifacts.pushed_at_ms', type: 'time' },
  },
  defaultSort: ['-id'],
};
const TagView = Type.Object({ with_immutable_status: Type.Optional(Type.Boolean()) });

/** Harbor's lists of an artifact's tags and accessories. */
export function tagRoutes(deps: CatalogDeps): RestRoutes {
  const catalog = new ArtifactCatalog(deps.database);
  const { db } = deps.database;
  return (app) => {
    app.get(
      `${ARTIFACT}/tags`,
      { schema: { querystring: TagView }, ...permits({ scope: 'project', resource: 'tag', action: 'list' }) },
      async (request, reply) => {
        const query = parseListQuery(request, fieldsOf(TAGS));
        const artifact = await requestedArtifact(deps, catalog, request);
        const rows = db.selectFrom('tags').selectAll().where('artifact_id', '=', artifact.id);
        const page = await fetchPage(db, rows, query, TAGS);
        const names = request.query.with_immutable_status === true ? page.items.map(({ name }) => name) : [];
        const immutable =
          names.length === 0
            ? undefined
            : await deps.immutability?.immutableTags(artifact.project_id, artifact.repository, names);
        const items = page.items.map((tag) => tagBody(tag, immutable?.has(tag.name) === true));
        return sendPage(request, reply, query, { items, total: page.total });
      },
    );
    app.get(
      `${ARTIFACT}/accessories`,
      permits({ scope: 'project', resource: 'accessory', action: 'list' }),
      async (request, reply) => {
        const query = parseListQuery(request, fieldsOf(ACCESSORIES));
        const subject = await requestedArtifact(deps, catalog, request);
        const rows = db
          .selectFrom('artifacts')
          .selectAll()
          .where('artifacts.repository_id', '=', subject.repository_id)
          .where('artifacts.subject_digest', '=', subject.digest);
        const page = await fetchPage(db, rows, query, ACCESSORIES);
        const items = page.items.map((row) => accessoryBody({ ...row, repository: subject.repository }, subject));
        return sendPage(request, reply, query, { items, total: page.total });
      },
    );
  };
}

function fieldsOf(mapping: ListMapping): ListFields {
  const fields = Object.keys(mapping.columns);
  return { filter: fields, sort: fields };
}
