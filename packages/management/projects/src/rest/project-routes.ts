import { type HttpApplication, Type } from '@vic/http';
import {
  type RestRoutes,
  auditSubject,
  isPermitted,
  parseListQuery,
  permits,
  principalOf,
  projectOf,
  sendPage,
} from '@vic/rest';
import { VicError } from '@vic/errors';
import { PROJECT_FIELDS, type ProjectDirectory } from '../project-directory.ts';
import type { Projects } from '../projects.ts';
import { PROJECT_REQUEST } from './project-body.ts';
import { type PresenterDeps, ProjectPresenter, projectBody } from './project-presenter.ts';
import { type ProjectChangesDeps, ProjectChanges } from './project-changes.ts';

/** What the routes of projects need. */
export interface ProjectRoutesDeps extends PresenterDeps, ProjectChangesDeps {
  readonly projects: Projects;
  readonly directory: ProjectDirectory;
}

const FLAG = Type.Optional(Type.String({ pattern: '^(?:true|false|1|0)?$' }));
const SEARCH = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 255 })),
  public: FLAG,
  owner: Type.Optional(Type.String({ maxLength: 255 })),
  with_detail: FLAG,
});
const EXISTS = Type.Object({ project_name: Type.String({ minLength: 1, maxLength: 255 }) });

/** The routes of projects themselves. */
export function projectRoutes(deps: ProjectRoutesDeps): RestRoutes {
  const presenter = new ProjectPresenter(deps);
  return (app) => {
    addListRoutes(app, deps, presenter);
    addChangeRoutes(app, deps);
    addReadRoutes(app, deps, presenter);
  };
}

function addListRoutes(app: HttpApplication, deps: ProjectRoutesDeps, presenter: ProjectPresenter): void {
  app.get(
    '/projects',
    { schema: { querystring: SEARCH }, exposeHeadRoute: false, ...permits({ scope: 'public' }) },
    async (request, reply) => {
      const query = parseListQuery(request, PROJECT_FIELDS);
      const { name, owner, public: visibility, with_detail: detail } = request.query;
      const viewer = principalOf(request);
      const page = await deps.directory.list(viewer, query, {
        name,
        owner,
        public: visibility === undefined || visibility === '' ? undefined : isTrue(visibility),
      });
      const isBrief = detail !== undefined && detail !== '' && !isTrue(detail);
      const items = isBrief ? page.items.map(projectBody) : await presenter.bodies(page.items, viewer);
      return sendPage(request, reply, query, { items, total: page.total });
    },
  );

  app.head(
    '/projects',
    { schema: { querystring: EXISTS }, ...permits({ scope: 'authenticated' }) },
    async (request, reply) => {
      const project = await deps.projects.findByName(request.query.project_name);
      if (project === undefined) throw noSuchProject(request.query.project_name);
      return reply.send();
    },
  );
}

function addChangeRoutes(app: HttpApplication, deps: ProjectRoutesDeps): void {
  const changes = new ProjectChanges(deps);
  app.post(
    '/projects',
    {
      schema: { body: PROJECT_REQUEST },
      ...permits({ scope: 'authenticated' }, { operation: 'create', resourceType: 'project' }),
    },
    async (request, reply) => {
      auditSubject(request, (request.body.project_name ?? '').slice(0, 255));
      const project = await changes.create(request, request.body);
      auditSubject(request, project.name, project);
      const path = (request.originalUrl.split('?')[0] ?? '').replace(/\/$/, '');
      const byName = request.headers['x-resource-name-in-location'] === 'true';
      return reply
        .code(201)
        .header('location', `${path}/${byName ? project.name : project.id}`)
        .send();
    },
  );

  app.put(
    '/projects/:project_name_or_id',
    {
      schema: { body: PROJECT_REQUEST },
      ...permits(
        { scope: 'project', resource: 'project', action: 'update' },
        { operation: 'update', resourceType: 'project' },
      ),
    },
    async (request, reply) => {
      const project = await deps.projects.get(projectOf(request).id);
      auditSubject(request, project.name);
      await changes.update(request, project, request.body);
      return reply.send();
    },
  );

  app.delete(
    '/projects/:project_name_or_id',
    permits(
      { scope: 'project', resource: 'project', action: 'delete' },
      { operation: 'delete', resourceType: 'project' },
    ),
    async (request, reply) => {
      const project = projectOf(request);
      auditSubject(request, project.name);
      await deps.projects.delete(project.id, principalOf(request));
      return reply.send();
    },
  );
}

function addReadRoutes(app: HttpApplication, deps: ProjectRoutesDeps, presenter: ProjectPresenter): void {
  app.get(
    '/projects/:project_name_or_id',
    permits({ scope: 'project', resource: 'project', action: 'read' }),
    async (request) => {
      const project = await deps.projects.get(projectOf(request).id);
      const [body] = await presenter.bodies([project], principalOf(request));
      return body;
    },
  );

  app.get(
    '/projects/:project_name_or_id/summary',
    permits({ scope: 'project', resource: 'project', action: 'read' }),
    async (request) => {
      const project = await deps.projects.get(projectOf(request).id);
      const [quota, members] = await Promise.all([
        isPermitted(request, { resource: 'quota', action: 'read' }, project),
        isPermitted(request, { resource: 'member', action: 'list' }, project),
      ]);
      return presenter.summary(project, { quota, members });
    },
  );

  app.get(
    '/projects/:project_name_or_id/_deletable',
    permits({ scope: 'project', resource: 'project', action: 'delete' }),
    async (request) => {
      const { deletable, message } = await deps.projects.deletability(projectOf(request).id);
      return message === undefined ? { deletable } : { deletable, message };
    },
  );
}

function isTrue(flag: string): boolean {
  return flag === 'true' || flag === '1';
}

function noSuchProject(nameOrId: string): VicError {
  return new VicError({ class: 'NotFound', code: 'PROJECT_NOT_FOUND', message: `project ${nameOrId} not found` });
}
