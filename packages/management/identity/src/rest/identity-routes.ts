import type { RestRoutes } from '@vic/rest';
import type { Identity } from '../identity.ts';
import { credentialRoutes } from './credential-routes.ts';
import { currentUserRoutes } from './current-user-routes.ts';
import { groupRoutes } from './group-routes.ts';
import { ldapRoutes } from './ldap-routes.ts';
import { oidcRoutes } from './oidc-routes.ts';
import { type ProjectAdministrators, permissionRoutes } from './permission-routes.ts';
import { projectRobotRoutes } from './project-robot-routes.ts';
import { robotRoutes } from './robot-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { userRoutes } from './user-routes.ts';

/** What the routes of identity need. */
export interface IdentityRoutesDeps {
  readonly identity: Identity;
  readonly administrators: ProjectAdministrators;
}

/** The routes of users, groups, robots, access tokens, sessions and outside sources. */
export function identityRoutes({ identity, administrators }: IdentityRoutesDeps): RestRoutes {
  const routes: readonly RestRoutes[] = [
    currentUserRoutes(identity),
    userRoutes(identity),
    credentialRoutes(identity),
    tokenRoutes(identity),
    groupRoutes(identity),
    robotRoutes(identity),
    projectRobotRoutes(identity),
    permissionRoutes(administrators),
    sessionRoutes(identity),
    oidcRoutes(identity),
    ldapRoutes(identity),
  ];
  return (app) => {
    for (const register of routes) register(app);
  };
}
