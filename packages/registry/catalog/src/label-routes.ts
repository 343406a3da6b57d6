import type { Action, ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpRequest, Type } from '@vic/http';
import {
  type ListFields,
  type RestRoutes,
  auditSubject,
  parseListQuery,
  permits,
  requirePermission,
  sendPage,
} from '@vic/rest';
import { type Database, type ListMapping, containsText, fetchPage, sql } from '@vic/sql';
import { labelBody } from './artifact-body.ts';
import type { LabelRow } from './artifact-parts.ts';
import type { CatalogDeps } from './catalog-services.ts';
import { Labels } from './labels.ts';

const LABELS: ListMapping = {
  columns: {
    id: { column: 'labels.id', type: 'number' },
    name: { column: 'labels.name', type: 'text' },
    description: { column: 'labels.description', type: 'text' },
    color: { column: 'labels.color', type: 'text' },
    creation_time: { column: 'labels.created_at_ms', type: 'time' },
    update_time: { column: 'labels.updated_at_ms', type: 'time' },
  },
  defaultSort: ['id'],
};
const FIELDS: ListFields = { filter: Object.keys(LABELS.columns), sort: Object.keys(LABELS.columns) };

const LabelBody = Type.Object({
  name: Type.String({ maxLength: 256 }),
  description: Type.Optional(Type.String({ maxLength: 4096 })),
  color: Type.Optional(Type.String({ maxLength: 16 })),
  scope: Type.Optional(Type.String({ maxLength: 8 })),
  project_id: Type.Optional(Type.Integer({ minimum: 0 })),
});
const LabelFilter = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 256 })),
  scope: Type.Optional(Type.String({ maxLength: 8 })),
  project_id: Type.Optional(Type.Integer({ minimum: 0 })),
});
const LabelParameters = Type.Object({ label_id: Type.Integer({ minimum: 1 }) });

/** Harbor's `/labels`: global ones for administrators, those of projects for their members. */
export function labelRoutes(deps: CatalogDeps): RestRoutes {
  const labels = new Labels(deps);
  return (app) => {
    app.get(
      '/labels',
      { schema: { querystring: LabelFilter }, ...permits({ scope: 'object', resource: 'label', action: 'list' }) },
      async (request, reply) => {
        const query = parseListQuery(request, FIELDS);
        const projectId = scopeOf(request.query);
        if (projectId !== undefined) await requireForProject(request, deps.database, { projectId, action: 'list' });
        const { db } = deps.database;
        let rows = db
          .selectFrom('labels')
          .selectAll()
          .where('project_id', projectId === undefined ? 'is' : '=', projectId ?? null);
        const { name } = request.query;
        if (name !== undefined && name !== '') rows = rows.where(containsText(sql<string>`name`, name));
        const page = await fetchPage(db, rows, query, LABELS);
        return sendPage(request, reply, query, { items: page.items.map(labelBody), total: page.total });
      },
    );
    app.post(
      '/labels',
      {
        schema: { body: LabelBody },
        ...permits(
          { scope: 'object', resource: 'label', action: 'create' },
          { operation: 'create', resourceType: 'label' },
        ),
      },
      async (request, reply) => {
        const projectId = scopeOf(request.body);
        auditSubject(request, request.body.name);
        await requireFor(request, deps.database, { projectId, action: 'create' });
        const id = await labels.create(projectId, contentOf(request.body));
        await reply
          .code(201)
          .header('location', `${request.originalUrl.split('?')[0] ?? ''}/${id}`)
          .send();
      },
    );
    registerLabel(app, deps, labels);
  };
}

function registerLabel(app: Parameters<RestRoutes>[0], { database }: CatalogDeps, labels: Labels): void {
  const path = '/labels/:label_id';
  app.get(
    path,
    { schema: { params: LabelParameters }, ...permits({ scope: 'object', resource: 'label', action: 'read' }) },
    async (request) => labelBody(await permitted(request, database, { labels, action: 'read' })),
  );
  app.put(
    path,
    {
      schema: { params: LabelParameters, body: LabelBody },
      ...permits(
        { scope: 'object', resource: 'label', action: 'update' },
        { operation: 'update', resourceType: 'label' },
      ),
    },
    async (request, reply) => {
      const label = await permitted(request, database, { labels, action: 'update' });
      await labels.update(label.id, contentOf(request.body));
      await reply.code(200).send();
    },
  );
  app.delete(
    path,
    {
      schema: { params: LabelParameters },
      ...permits(
        { scope: 'object', resource: 'label', action: 'delete' },
        { operation: 'delete', resourceType: 'label' },
      ),
    },
    async (request, reply) => {
      const label = await permitted(request, database, { labels, action: 'delete' });
      await labels.remove(label.id);
      await reply.code(200).send();
    },
  );
}

/** The label that the path names, once the caller may do that with it. */
async function permitted(
  request: HttpRequest,
  database: Database,
  { labels, action }: { readonly labels: Labels; readonly action: Action },
): Promise<LabelRow> {
  const label = await labels.get((request.params as { readonly label_id: number }).label_id);
  auditSubject(request, label.name);
  await requireFor(request, database, { projectId: label.project_id ?? undefined, action });
  return label;
}

async function requireFor(
  request: HttpRequest,
  database: Database,
  { projectId, action }: { readonly projectId: number | undefined; readonly action: Action },
): Promise<void> {
  if (projectId === undefined) await requirePermission(request, { resource: 'label', action });
  else await requireForProject(request, database, { projectId, action });
}

async function requireForProject(
  request: HttpRequest,
  { db }: Database,
  { projectId, action }: { readonly projectId: number; readonly action: Action },
): Promise<void> {
  const row = await db
    .selectFrom('projects')
    .select(['id', 'name', 'public'])
    .where('id', '=', projectId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new VicError({
      class: 'NotFound',
      code: 'PROJECT_NOT_FOUND',
      message: `project ${projectId} not found`,
    });
  }
  const project: ProjectIdentity = { id: row.id, name: row.name, public: row.public === 1 };
  await requirePermission(request, { resource: 'label', action }, project);
}

/** The project of a scope; `undefined` for the global one. */
function scopeOf(asked: { readonly scope?: string; readonly project_id?: number }): number | undefined {
  const { scope = '', project_id: projectId = 0 } = asked;
  if (scope === 'g') return undefined;
  if (scope !== 'p') throw invalid(`invalid scope: ${scope}`);
  if (projectId === 0) throw invalid('must with project ID when to query project labels');
  return projectId;
}

function contentOf(body: { name: string; description?: string; color?: string }): {
  name: string;
  description: string;
  color: string;
} {
  return { name: body.name, description: body.description ?? '', color: body.color ?? '' };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'LABEL_INVALID', message });
}
