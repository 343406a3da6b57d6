import { type Permission, SYSTEM_PERMISSIONS, permissionsOfRole } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, isPermitted, permits, principalOf } from '@vic/rest';
import type { Identity } from '../identity.ts';
import { userBody } from './user-body.ts';

const SCOPE = Type.Object({
  scope: Type.Optional(Type.String({ maxLength: 300 })),
  relative: Type.Optional(Type.String({ maxLength: 5 })),
});

/** The routes that answer who I am and what I may. */
export function currentUserRoutes(identity: Identity): RestRoutes {
  return (app) => {
    app.get('/users/current', permits({ scope: 'authenticated' }), async (request) => {
      const principal = principalOf(request);
      if (principal.kind === 'user') return userBody(await identity.users.get(principal.id));
      throw new VicError({
        class: 'FailedPrecondition',
        code: 'CURRENT_USER_NONE',
        message: `get current user not available for security context: ${principal.kind}`,
      });
    });

    app.get(
      '/users/current/permissions',
      { schema: { querystring: SCOPE }, ...permits({ scope: 'authenticated' }) },
      async (request) => {
        const { scope = '', relative } = request.query;
        return permissionsIn(identity, request, scope, relative === 'true');
      },
    );
  };
}

/** `/system`, or `/project/1`; elsewhere there is nothing. */
async function permissionsIn(
  identity: Identity,
  request: HttpRequest,
  scope: string,
  relative: boolean,
): Promise<readonly { resource: string; action: string }[]> {
  const projectId = /^\/project\/(\d{1,15})\/?$/.exec(scope)?.[1];
  const project = projectId === undefined ? undefined : await identity.projects.findProject(projectId, false);
  const isSystem = /^\/system\/?$/.test(scope);
  if (project === undefined && !isSystem) return [];
  const all = project === undefined ? SYSTEM_PERMISSIONS : permissionsOfRole('projectAdmin');
  const base = project === undefined ? '/system' : `/project/${project.id}`;
  const held: Permission[] = [];
  for (const permission of all) if (await isPermitted(request, permission, project)) held.push(permission);
  return held.map(({ resource, action }) => {
    // In Harbor's terms the project itself is no resource of the project.
    const name = project !== undefined && resource === 'project' ? '' : resource;
    if (relative) return { resource: name === '' ? '.' : name, action };
    return { resource: name === '' ? base : `${base}/${name}`, action };
  });
}
