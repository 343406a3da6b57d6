import { type Principal, ROBOT_PERMISSIONS, permissionsIn } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type RestRoutes, permits, principalOf } from '@vic/rest';

/** Knows who administers projects; implemented by the owner of memberships. */
export interface ProjectAdministrators {
  /** Whether the principal is administrator of at least one project. */
  administersProject(principal: Principal): Promise<boolean>;
}

/** The route that tells administrators what robots may hold. */
export function permissionRoutes(administrators: ProjectAdministrators): RestRoutes {
  return (app) => {
    app.get('/permissions', permits({ scope: 'authenticated' }), async (request) => {
      const principal = principalOf(request);
      const project = permissionsIn(ROBOT_PERMISSIONS.project);
      if (principal.kind === 'user' && principal.systemAdministrator) {
        return { system: permissionsIn(ROBOT_PERMISSIONS.system), project };
      }
      // As in Harbor, an administrator of projects is not told of the system's.
      if (await administrators.administersProject(principal)) return { project };
      throw new VicError({
        class: 'PermissionDenied',
        code: 'PERMISSIONS_REFUSED',
        message: 'only admins(system and project) can access permissions',
      });
    });
  };
}
