import { projectRoleOfId } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type Static, Type } from '@vic/http';
import { type RestRoutes, auditSubject, parseListQuery, permits, projectOf, sendPage } from '@vic/rest';
import type { NewMember, ProjectMember, ProjectMembers } from '../project-members.ts';

const NEW_MEMBER = Type.Object({
  role_id: Type.Optional(Type.Integer()),
  member_user: Type.Optional(
    Type.Object({ user_id: Type.Optional(Type.Integer()), username: Type.Optional(Type.String({ maxLength: 255 })) }),
  ),
  member_group: Type.Optional(
    Type.Object({
      id: Type.Optional(Type.Integer()),
      group_name: Type.Optional(Type.String({ maxLength: 255 })),
      group_type: Type.Optional(Type.Integer()),
      ldap_group_dn: Type.Optional(Type.String({ maxLength: 512 })),
    }),
  ),
});
const ROLE = Type.Object({ role_id: Type.Integer() });
const SEARCH = Type.Object({ entityname: Type.Optional(Type.String({ maxLength: 255 })) });
const MEMBER = Type.Object({ project_name_or_id: Type.String(), mid: Type.String({ pattern: '^[0-9]{1,15}$' }) });

/** The routes of projects' members. */
export function memberRoutes(members: ProjectMembers): RestRoutes {
  return (app) => {
    app.get(
      '/projects/:project_name_or_id/members',
      { schema: { querystring: SEARCH }, ...permits({ scope: 'project', resource: 'member', action: 'list' }) },
      async (request, reply) => {
        const query = parseListQuery(request, { filter: [], sort: [] });
        const found = await members.list(projectOf(request).id, request.query.entityname);
        const start = (query.page - 1) * query.pageSize;
        const items = found.slice(start, start + query.pageSize).map(memberBody);
        return sendPage(request, reply, query, { items, total: found.length });
      },
    );

    app.post(
      '/projects/:project_name_or_id/members',
      {
        schema: { body: NEW_MEMBER },
        ...permits(
          { scope: 'project', resource: 'member', action: 'create' },
          { operation: 'create', resourceType: 'member' },
        ),
      },
      async (request, reply) => {
        const project = projectOf(request);
        const member = await members.add(project.id, newMemberOf(request.body));
        auditSubject(request, member.entityName);
        const path = (request.originalUrl.split('?')[0] ?? '').replace(/\/$/, '');
        return reply.code(201).header('location', `${path}/${member.id}`).send();
      },
    );

    app.get(
      '/projects/:project_name_or_id/members/:mid',
      { schema: { params: MEMBER }, ...permits({ scope: 'project', resource: 'member', action: 'read' }) },
      async (request) => memberBody(await members.get(projectOf(request).id, Number(request.params.mid))),
    );

    app.put(
      '/projects/:project_name_or_id/members/:mid',
      {
        schema: { params: MEMBER, body: ROLE },
        ...permits(
          { scope: 'project', resource: 'member', action: 'update' },
          { operation: 'update', resourceType: 'member' },
        ),
      },
      async (request, reply) => {
        const member = await members.get(projectOf(request).id, Number(request.params.mid));
        auditSubject(request, member.entityName);
        await members.changeRole(member.projectId, member.id, request.body.role_id);
        return reply.send();
      },
    );

    app.delete(
      '/projects/:project_name_or_id/members/:mid',
      {
        schema: { params: MEMBER },
        ...permits(
          { scope: 'project', resource: 'member', action: 'delete' },
          { operation: 'delete', resourceType: 'member' },
        ),
      },
      async (request, reply) => {
        const member = await members.get(projectOf(request).id, Number(request.params.mid));
        auditSubject(request, member.entityName);
        await members.remove(member.projectId, member.id);
        return reply.send();
      },
    );
  };
}

/** The order in which Harbor looks at what a request names. */
function newMemberOf({
  role_id: roleId = 0,
  member_user: user,
  member_group: group,
}: Static<typeof NEW_MEMBER>): NewMember {
  if (user?.user_id !== undefined && user.user_id > 0) return { roleId, user: { id: user.user_id } };
  if (group?.id !== undefined && group.id > 0) return { roleId, group: { id: group.id } };
  if (isGiven(user?.username)) return { roleId, user: { name: user.username } };
  const name = isGiven(group?.group_name) ? { name: group.group_name } : undefined;
  if (isGiven(group?.ldap_group_dn)) return { roleId, group: { ldapDn: group.ldap_group_dn, ...name } };
  if (name !== undefined) {
    return { roleId, group: { ...name, ...(group?.group_type === undefined ? {} : { type: group.group_type }) } };
  }
  throw new VicError({
    class: 'InvalidArgument',
    code: 'MEMBER_NOT_NAMED',
    message: 'at least one of member_user or member_group must be provided',
  });
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function memberBody(member: ProjectMember): object {
  return {
    id: member.id,
    project_id: member.projectId,
    entity_name: member.entityName,
    role_name: projectRoleOfId(member.roleId) ?? '',
    role_id: member.roleId,
    entity_id: member.entityId,
    entity_type: member.entityType,
  };
}
