import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpRequest, Type } from '@vic/http';
import {
  type RestRoutes,
  auditSubject,
  parseListQuery,
  permits,
  principalOf,
  requirePermission,
  sendPage,
} from '@vic/rest';
import type { Identity } from '../identity.ts';
import { USER_FIELDS, listUsers } from '../users/user-list.ts';
import {
  ID,
  isSelf,
  pathOf,
  requireAdministratorInPerson,
  requireSelfOr,
  requireUnrestricted,
} from './request-rules.ts';
import { userBody } from './user-body.ts';

const TEXT = Type.Optional(Type.String({ maxLength: 1024 }));
const SEARCH = Type.Object({ username: TEXT, email: TEXT });
const BY_NAME = Type.Object({ username: Type.String({ maxLength: 255 }) });
const USER = Type.Object({ user_id: ID });
const NEW_USER = Type.Object({ username: TEXT, password: TEXT, email: TEXT, realname: TEXT, comment: TEXT });
const PROFILE = Type.Object({ email: TEXT, realname: TEXT, comment: TEXT });

/** The routes of users: lists, making, profiles, removal. */
export function userRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addLists(app, identity);
    addCreation(app, identity);
    addSingle(app, identity);
  };
}

function addLists(app: HttpApplication, identity: Identity): void {
  app.get(
    '/users',
    { schema: { querystring: SEARCH }, ...permits({ scope: 'system', resource: 'user', action: 'list' }) },
    async (request, reply) => {
      const query = parseListQuery(request, USER_FIELDS);
      const { username, email } = request.query;
      const page = await listUsers(identity.database, query, { name: username, email });
      return sendPage(request, reply, query, { items: page.items.map(userBody), total: page.total });
    },
  );

  app.get(
    '/users/search',
    { schema: { querystring: BY_NAME }, ...permits({ scope: 'authenticated' }) },
    async (request, reply) => {
      const query = parseListQuery(request, { filter: [], sort: [] });
      const page = await listUsers(identity.database, query, { name: request.query.username });
      const items = page.items.map(({ id, name }) => ({ user_id: id, username: name }));
      return sendPage(request, reply, query, { items, total: page.total });
    },
  );
}

function addCreation(app: HttpApplication, identity: Identity): void {
  app.post(
    '/users',
    {
      schema: { body: NEW_USER },
      ...permits(
        { scope: 'object', resource: 'user', action: 'create' },
        { operation: 'create', resourceType: 'user' },
      ),
    },
    async (request, reply) => {
      const { username = '', password = '', email = '', realname = '', comment = '' } = request.body;
      auditSubject(request, username.slice(0, 255));
      await requireCreatable(identity, request);
      const user = await identity.localUsers.create({ name: username, password, email, realName: realname, comment });
      return reply
        .code(201)
        .header('location', `${pathOf(request)}/${user.id}`)
        .send();
    },
  );
}

function addSingle(app: HttpApplication, identity: Identity): void {
  app.get(
    '/users/:user_id',
    { schema: { params: USER }, ...permits({ scope: 'object', resource: 'user', action: 'read' }) },
    async (request) => {
      const id = Number(request.params.user_id);
      await requireSelfOr(request, id, 'read');
      return userBody(await identity.users.get(id));
    },
  );

  app.put(
    '/users/:user_id',
    {
      schema: { params: USER, body: PROFILE },
      ...permits(
        { scope: 'object', resource: 'user', action: 'update' },
        { operation: 'update', resourceType: 'user' },
      ),
    },
    async (request, reply) => {
      const id = Number(request.params.user_id);
      await requireSelfOr(request, id, 'update');
      requireUnrestricted(request);
      const { email = '', realname = '', comment = '' } = request.body;
      const user = await identity.localUsers.updateProfile(id, { email, realName: realname, comment });
      auditSubject(request, user.name);
      return reply.send();
    },
  );

  app.delete(
    '/users/:user_id',
    {
      schema: { params: USER },
      ...permits(
        { scope: 'system', resource: 'user', action: 'delete' },
        { operation: 'delete', resourceType: 'user' },
      ),
    },
    async (request, reply) => {
      const id = Number(request.params.user_id);
      if (isSelf(request, id)) throw undeletable(id);
      const user = await identity.users.get(id);
      auditSubject(request, user.name);
      if (user.systemAdministrator) requireAdministratorInPerson(principalOf(request));
      await identity.users.remove(id);
      return reply.send();
    },
  );
}

/** Administrators make users; everybody does where self-registration is on, so many in a time from one address. */
async function requireCreatable(identity: Identity, request: HttpRequest): Promise<void> {
  const { authMode, selfRegistration } = await identity.settings.current();
  if (authMode !== 'db_auth') {
    throw new VicError({
      class: 'PermissionDenied',
      code: 'USER_CREATION_REFUSED',
      message: `creating local user is not allowed under auth mode: ${authMode}`,
    });
  }
  const permission = { resource: 'user', action: 'create' } as const;
  if (selfRegistration && principalOf(request).kind === 'anonymous') await identity.guard.registering(request.ip);
  else await requirePermission(request, permission);
}

function undeletable(id: number): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'USER_UNDELETABLE',
    message: `User with ID ${id} cannot be deleted`,
  });
}
