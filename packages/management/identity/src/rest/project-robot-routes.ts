import type { ProjectIdentity } from '@vic/authz';
import { mapLimit } from '@vic/async';
import { VicError } from '@vic/errors';
import { type HttpApplication, Type } from '@vic/http';
import {
  type RestRoutes,
  type RouteAudit,
  auditSubject,
  parseListQuery,
  permits,
  principalOf,
  projectOf,
  sendPage,
} from '@vic/rest';
import { AccessSchema, type WirePermission, grantsFromWire } from '../grants/wire-grants.ts';
import type { Identity } from '../identity.ts';
import { FOREVER, type Robot } from '../robots/robot.ts';
import { ROBOT_FIELDS, listRobots } from '../robots/robot-list.ts';
import { ID, pathOf } from './request-rules.ts';
import { createdRobotBody, robotBody } from './robot-body.ts';

const PROJECT = Type.Object({ project_name_or_id: Type.String({ maxLength: 255 }) });
const ROBOT = Type.Object({ project_name_or_id: Type.String({ maxLength: 255 }), robot_id: ID });
const NEW_ROBOT = Type.Object({
  name: Type.String({ maxLength: 512 }),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  expires_at: Type.Optional(Type.Integer()),
  access: Type.Array(AccessSchema, { maxItems: 500 }),
});
const CHANGE = Type.Object({
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  disable: Type.Optional(Type.Boolean()),
});
const DAY_MS = 24 * 60 * 60_000;

/** The routes by which clients of Harbor 1 and early 2 handle a project's robots. */
export function projectRobotRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addReads(app, identity);
    addChanges(app, identity);
  };
}

function addReads(app: HttpApplication, identity: Identity): void {
  app.get(
    '/projects/:project_name_or_id/robots',
    { schema: { params: PROJECT }, ...allow('list') },
    async (request, reply) => {
      const query = parseListQuery(request, { filter: ROBOT_FIELDS, sort: ROBOT_FIELDS });
      const page = await listRobots(identity.database, query, projectOf(request).id);
      const items = await mapLimit(page.items, 4, async (robot) => robotBody(await identity.robots.view(robot)));
      return sendPage(request, reply, query, { items, total: page.total });
    },
  );

  app.get(
    '/projects/:project_name_or_id/robots/:robot_id',
    { schema: { params: ROBOT }, ...allow('read') },
    async (request) => {
      const robot = await robotIn(identity, projectOf(request), request.params.robot_id);
      return robotBody(await identity.robots.view(robot));
    },
  );
}

function addChanges(app: HttpApplication, identity: Identity): void {
  app.post(
    '/projects/:project_name_or_id/robots',
    { schema: { params: PROJECT, body: NEW_ROBOT }, ...allow('create', 'create') },
    async (request, reply) => {
      const project = projectOf(request);
      const { name, description = '', access } = request.body;
      auditSubject(request, name.slice(0, 255), project);
      const grants = grantsFromWire([{ kind: 'project', namespace: project.name, access: access.map(shortened) }]);
      const durationDays = await daysUntil(identity, request.body.expires_at);
      const wanted = { name, description, level: 'project', durationDays, disabled: false, grants } as const;
      const { robot, secret } = await identity.robots.create(wanted, principalOf(request));
      auditSubject(request, robot.fullName, project);
      void reply.code(201).header('location', `${pathOf(request)}/${robot.id}`);
      return createdRobotBody(robot, secret);
    },
  );

  app.put(
    '/projects/:project_name_or_id/robots/:robot_id',
    { schema: { params: ROBOT, body: CHANGE }, ...allow('update', 'update') },
    async (request, reply) => {
      const project = projectOf(request);
      const robot = await robotIn(identity, project, request.params.robot_id);
      auditSubject(request, (await identity.robots.view(robot)).fullName, project);
      await identity.robotStore.update(robot, {
        description: request.body.description ?? robot.description,
        disabled: request.body.disable ?? robot.disabled,
        durationDays: robot.durationDays,
        grants: robot.grants,
      });
      return reply.send();
    },
  );

  app.delete(
    '/projects/:project_name_or_id/robots/:robot_id',
    { schema: { params: ROBOT }, ...allow('delete', 'delete') },
    async (request, reply) => {
      const project = projectOf(request);
      const robot = await robotIn(identity, project, request.params.robot_id);
      auditSubject(request, (await identity.robots.view(robot)).fullName, project);
      await identity.robotStore.remove(robot.id);
      return reply.send();
    },
  );
}

function allow(
  action: 'list' | 'read' | 'create' | 'update' | 'delete',
  operation?: RouteAudit['operation'],
): ReturnType<typeof permits> {
  const permission = { scope: 'project', resource: 'robot', action } as const;
  return operation === undefined ? permits(permission) : permits(permission, { operation, resourceType: 'robot' });
}

/** A robot of that project; one of another is not there. */
async function robotIn(identity: Identity, project: ProjectIdentity, id: string): Promise<Robot> {
  const robot = await identity.robotStore.find(Number(id));
  if (robot?.level === 'project' && robot.projectId === project.id) return robot;
  throw new VicError({ class: 'NotFound', code: 'ROBOT_NOT_FOUND', message: `robot ${id} not found` });
}

/** The old form names resources by their place: `/project/1/repository`. */
function shortened(access: WirePermission['access'][number]): WirePermission['access'][number] {
  return { ...access, resource: access.resource.replace(/^\/project\/[^/]+\//, '') };
}

/** Seconds since 1970 as whole days from now; −1 for ever, and 0 or nothing as configured. */
async function daysUntil(identity: Identity, expiresAt = 0): Promise<number> {
  if (expiresAt === FOREVER) return FOREVER;
  if (expiresAt === 0) return (await identity.settings.current()).robotDurationDays;
  const days = Math.ceil((expiresAt * 1000 - identity.clock()) / DAY_MS);
  if (days > 0) return days;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'ROBOT_INVALID',
    message: `bad request error expires_at input: ${expiresAt} has passed`,
  });
}
