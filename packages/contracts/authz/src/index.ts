export { ANONYMOUS, nameOf } from './principal.ts';
export type { AnonymousPrincipal, Grant, Principal, RobotPrincipal, UserPrincipal } from './principal.ts';
export { permissionText, permissionsIn, tableAllows } from './permission.ts';
export type { Action, Permission, PermissionTable, Resource } from './permission.ts';
export type { Authorizer, ProjectIdentity } from './authorizer.ts';
export {
  PROJECT_ROLE_IDS,
  highestRole,
  permissionsOfRole,
  projectRoleOfId,
  publicProjectAllows,
  roleAllows,
} from './project-role.ts';
export type { ProjectRole } from './project-role.ts';
export { PERSONA_ROLES } from './persona.ts';
export type { Persona } from './persona.ts';
export { ROBOT_PERMISSIONS } from './robot-permissions.ts';
export { SYSTEM_PERMISSIONS } from './system-permissions.ts';
export { EVERY_PROJECT, firstBeyond, grantsAllow, validateGrants } from './grants.ts';
export { decide, explain } from './decision.ts';
export type { AccessContext, Decision, Ground } from './decision.ts';
