import { VicError } from '@vic/errors';
import { type HttpApplication, Type } from '@vic/http';
import { type RestRoutes, type RouteAudit, auditSubject, parseListQuery, permits, sendPage } from '@vic/rest';
import { GROUP_TYPES, type Group, groupTypeOf, requireGroup } from '../groups/group.ts';
import { GROUP_FIELDS, listGroups } from '../groups/group-list.ts';
import type { Identity } from '../identity.ts';
import { LdapSource } from '../sources/ldap-source.ts';
import { ID, pathOf } from './request-rules.ts';

const TEXT = Type.Optional(Type.String({ maxLength: 1024 }));
const SEARCH = Type.Object({ group_name: TEXT, ldap_group_dn: TEXT });
const BY_NAME = Type.Object({ groupname: Type.Optional(Type.String({ maxLength: 255 })) });
const GROUP = Type.Object({ group_id: ID });
const MEMBER = Type.Object({ group_id: ID, user_id: ID });
const BODY = Type.Object({
  group_name: TEXT,
  group_type: Type.Optional(Type.Integer()),
  ldap_group_dn: TEXT,
});

/** The routes of groups, with Harbor's paths, and of the members of groups made here. */
export function groupRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addLists(app, identity);
    addChanges(app, identity);
    addMembers(app, identity);
  };
}

function addLists(app: HttpApplication, identity: Identity): void {
  app.get('/usergroups', { schema: { querystring: SEARCH }, ...allow('list') }, async (request, reply) => {
    const query = parseListQuery(request, GROUP_FIELDS);
    const { group_name: name, ldap_group_dn: ldapDn } = request.query;
    const page = await listGroups(identity.database, query, { name, ldapDn });
    return sendPage(request, reply, query, { items: page.items.map(groupBody), total: page.total });
  });

  app.get(
    '/usergroups/search',
    { schema: { querystring: BY_NAME }, ...permits({ scope: 'authenticated' }) },
    async (request, reply) => {
      const { groupname = '' } = request.query;
      if (groupname === '') throw invalid('need to provide groupname to search user group');
      const query = parseListQuery(request, { filter: [], sort: [] });
      const page = await listGroups(identity.database, query, { name: groupname });
      const items = page.items.map(({ id, name, type }) => ({ id, group_name: name, group_type: type }));
      return sendPage(request, reply, query, { items, total: page.total });
    },
  );

  app.get('/usergroups/:group_id', { schema: { params: GROUP }, ...allow('read') }, async (request) =>
    groupBody(await identity.groups.get(Number(request.params.group_id))),
  );
}

function addChanges(app: HttpApplication, identity: Identity): void {
  app.post('/usergroups', { schema: { body: BODY }, ...allow('create', 'create') }, async (request, reply) => {
    const { group_name: name = '', group_type: type = GROUP_TYPES.internal, ldap_group_dn: dn = '' } = request.body;
    auditSubject(request, name.slice(0, 255));
    const group = { name, type: groupTypeOf(type), ldapDn: type === GROUP_TYPES.ldap ? dn : '' };
    requireGroup(group);
    if (group.type === GROUP_TYPES.ldap) await requireInDirectory(identity, dn);
    const { id } = await identity.groups.create(group);
    return reply
      .code(201)
      .header('location', `${pathOf(request)}/${id}`)
      .send();
  });

  app.put(
    '/usergroups/:group_id',
    { schema: { params: GROUP, body: BODY }, ...allow('update', 'update') },
    async (request, reply) => {
      const name = request.body.group_name ?? '';
      auditSubject(request, name.slice(0, 255));
      await identity.groups.rename(Number(request.params.group_id), name);
      return reply.send();
    },
  );

  app.delete(
    '/usergroups/:group_id',
    { schema: { params: GROUP }, ...allow('delete', 'delete') },
    async (request, reply) => {
      const group = await identity.groups.get(Number(request.params.group_id));
      auditSubject(request, group.name);
      await identity.groups.remove(group.id);
      return reply.send();
    },
  );
}

function addMembers(app: HttpApplication, identity: Identity): void {
  app.get('/usergroups/:group_id/members', { schema: { params: GROUP }, ...allow('read') }, async (request) => {
    const group = await identity.groups.get(Number(request.params.group_id));
    const names = await identity.users.names(await identity.groups.membersOf(group.id));
    return [...names].map(([id, name]) => ({ user_id: id, username: name }));
  });

  app.put(
    '/usergroups/:group_id/members/:user_id',
    { schema: { params: MEMBER }, ...allow('update', 'update') },
    async (request, reply) => {
      const { group_id: groupId, user_id: userId } = request.params;
      auditSubject(request, `${groupId}/${userId}`);
      await identity.groups.addMember(Number(groupId), Number(userId));
      return reply.send();
    },
  );

  app.delete(
    '/usergroups/:group_id/members/:user_id',
    { schema: { params: MEMBER }, ...allow('update', 'update') },
    async (request, reply) => {
      const { group_id: groupId, user_id: userId } = request.params;
      auditSubject(request, `${groupId}/${userId}`);
      await identity.groups.removeMember(Number(groupId), Number(userId));
      return reply.send();
    },
  );
}

function allow(
  action: 'list' | 'read' | 'create' | 'update' | 'delete',
  operation?: RouteAudit['operation'],
): ReturnType<typeof permits> {
  const permission = { scope: 'system', resource: 'user-group', action } as const;
  return operation === undefined ? permits(permission) : permits(permission, { operation, resourceType: 'user_group' });
}

/** A mistyped DN would be a group that nobody is ever in. */
async function requireInDirectory(identity: Identity, dn: string): Promise<void> {
  const { authMode, ldap } = await identity.settings.current();
  if (authMode !== 'ldap_auth' || ldap === undefined) return;
  const [found] = await new LdapSource(ldap).searchGroups('', dn, 1);
  if (found === undefined) throw invalid(`LDAP Group DN is not found: DN:${dn}`);
}

function groupBody({ id, name, type, ldapDn }: Group): Readonly<Record<string, unknown>> {
  return { id, group_name: name, group_type: type, ldap_group_dn: ldapDn };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'GROUP_INVALID', message });
}
