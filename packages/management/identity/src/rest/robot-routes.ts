import type { Action, ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpRequest, Type } from '@vic/http';
import { mapLimit } from '@vic/async';
import {
  type RestRoutes,
  type RouteAudit,
  auditSubject,
  parseListQuery,
  permits,
  principalOf,
  requirePermission,
  sendPage,
} from '@vic/rest';
import type { ListRequest } from '@vic/sql';
import { grantsFromWire } from '../grants/wire-grants.ts';
import type { Identity } from '../identity.ts';
import type { Robot } from '../robots/robot.ts';
import { ROBOT_FIELDS, listRobots } from '../robots/robot-list.ts';
import { ID, pathOf } from './request-rules.ts';
import { ROBOT_REQUEST, ROBOT_SECRET_REQUEST, createdRobotBody, robotBody } from './robot-body.ts';

const ROBOT = Type.Object({ robot_id: ID });
/** Harbor's clients write them with capitals. */
const PLACE_FIELDS = ['Level', 'level', 'ProjectID', 'project_id'];

/** The routes of robots of the system and of projects. */
export function robotRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addReads(app, identity);
    addCreation(app, identity);
    addChanges(app, identity);
  };
}

/** Asks for the permission where the robot belongs: in its project, or in the system. */
async function requireRobotAccess(
  identity: Identity,
  request: HttpRequest,
  robot: Robot,
  action: Action,
): Promise<void> {
  const project = robot.level === 'system' ? undefined : await projectOfRobot(identity, robot);
  if (project === undefined && robot.level === 'project') throw noSuchRobot(robot.id);
  await requirePermission(request, { resource: 'robot', action }, project);
  auditSubject(request, (await identity.robots.view(robot)).fullName, project);
}

function addReads(app: HttpApplication, identity: Identity): void {
  app.get('/robots', permits({ scope: 'object', resource: 'robot', action: 'list' }), async (request, reply) => {
    const query = parseListQuery(request, { filter: [...ROBOT_FIELDS, ...PLACE_FIELDS], sort: ROBOT_FIELDS });
    const project = await placeOf(identity, query);
    await requirePermission(request, { resource: 'robot', action: 'list' }, project);
    const filters = query.filters.filter(({ field }) => !PLACE_FIELDS.includes(field));
    const page = await listRobots(identity.database, { ...query, filters }, project?.id);
    const items = await mapLimit(page.items, 4, async (robot) => robotBody(await identity.robots.view(robot)));
    return sendPage(request, reply, query, { items, total: page.total });
  });

  app.get('/robots/:robot_id', { schema: { params: ROBOT }, ...allow('read') }, async (request) => {
    const robot = await identity.robotStore.get(Number(request.params.robot_id));
    await requireRobotAccess(identity, request, robot, 'read');
    return robotBody(await identity.robots.view(robot));
  });
}

function addCreation(app: HttpApplication, identity: Identity): void {
  app.post('/robots', { schema: { body: ROBOT_REQUEST }, ...allow('create', 'create') }, async (request, reply) => {
    const { name, description = '', level, disable = false, permissions = [], secret: chosen = '' } = request.body;
    auditSubject(request, name.slice(0, 255));
    const { robotDurationDays } = await identity.settings.current();
    const wanted = {
      name,
      description,
      level: levelOf(level),
      durationDays: request.body.duration ?? robotDurationDays,
      disabled: disable,
      grants: grantsFromWire(permissions),
      ...(chosen === '' ? {} : { chosenSecret: chosen }),
    };
    const project = await identity.robots.homeOf(wanted);
    await requirePermission(request, { resource: 'robot', action: 'create' }, project);
    const { robot, secret } = await identity.robots.create(wanted, principalOf(request));
    auditSubject(request, robot.fullName, project);
    void reply.code(201).header('location', `${pathOf(request)}/${robot.id}`);
    return createdRobotBody(robot, secret);
  });
}

function addChanges(app: HttpApplication, identity: Identity): void {
  app.put(
    '/robots/:robot_id',
    { schema: { params: ROBOT, body: ROBOT_REQUEST }, ...allow('update', 'update') },
    async (request, reply) => {
      const robot = await identity.robotStore.get(Number(request.params.robot_id));
      await requireRobotAccess(identity, request, robot, 'update');
      const { name, description = '', level, disable = false, permissions = [] } = request.body;
      const { fullName } = await identity.robots.view(robot);
      if (level !== robot.level || (name !== fullName && name !== robot.name)) {
        throw invalid('cannot update the level or name of robot');
      }
      const durationDays = request.body.duration ?? robot.durationDays;
      const update = { description, disabled: disable, durationDays, grants: grantsFromWire(permissions) };
      await identity.robots.update(robot, update, principalOf(request));
      return reply.send();
    },
  );

  app.patch(
    '/robots/:robot_id',
    { schema: { params: ROBOT, body: ROBOT_SECRET_REQUEST }, ...allow('update', 'update') },
    async (request) => {
      const robot = await identity.robotStore.get(Number(request.params.robot_id));
      await requireRobotAccess(identity, request, robot, 'update');
      const chosen = request.body.secret ?? '';
      return { secret: (await identity.robots.replaceSecret(robot, chosen === '' ? undefined : chosen)) ?? '' };
    },
  );

  app.delete(
    '/robots/:robot_id',
    { schema: { params: ROBOT }, ...allow('delete', 'delete') },
    async (request, reply) => {
      const robot = await identity.robotStore.get(Number(request.params.robot_id));
      await requireRobotAccess(identity, request, robot, 'delete');
      await identity.robotStore.remove(robot.id);
      return reply.send();
    },
  );
}

function allow(
  action: 'read' | 'create' | 'update' | 'delete',
  operation?: RouteAudit['operation'],
): ReturnType<typeof permits> {
  const permission = { scope: 'object', resource: 'robot', action } as const;
  return operation === undefined ? permits(permission) : permits(permission, { operation, resourceType: 'robot' });
}

/** Where the robots of a list belong to: `q=Level=project,ProjectID=1`, or the system. */
async function placeOf(identity: Identity, query: ListRequest): Promise<ProjectIdentity | undefined> {
  const level = levelOf(equalTo(query, ['Level', 'level']) ?? 'system');
  if (level === 'system') return undefined;
  const id = equalTo(query, ['ProjectID', 'project_id']);
  if (id === undefined) throw invalid('must with project ID when to query project robots');
  if (!/^[1-9]\d{0,14}$/.test(id)) throw invalid('ProjectID must be a positive integer');
  const project = await identity.projects.findProject(id, false);
  if (project?.id === Number(id)) return project;
  throw new VicError({ class: 'NotFound', code: 'PROJECT_NOT_FOUND', message: `project ${id} not found` });
}

function equalTo(query: ListRequest, fields: readonly string[]): string | undefined {
  const filter = query.filters.find(({ field }) => fields.includes(field));
  if (filter === undefined) return undefined;
  if (filter.kind === 'equal') return filter.value;
  throw invalid(`bad request error ${filter.field} input`);
}

function levelOf(level: string): Robot['level'] {
  if (level === 'system' || level === 'project') return level;
  throw invalid(`bad request error level input: ${level}`);
}

/** The project of a robot, by a grant that names it; `undefined` when it is gone. */
async function projectOfRobot(identity: Identity, robot: Robot): Promise<ProjectIdentity | undefined> {
  const name = robot.name.split('+')[0] ?? '';
  const project = await identity.projects.findProject(name, true);
  return project?.id === robot.projectId ? project : undefined;
}

function noSuchRobot(id: number): VicError {
  return new VicError({ class: 'NotFound', code: 'ROBOT_NOT_FOUND', message: `robot ${id} not found` });
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'ROBOT_INVALID', message });
}
