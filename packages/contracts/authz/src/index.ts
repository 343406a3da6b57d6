export { ANONYMOUS, nameOf } from './principal.ts';
export type { AnonymousPrincipal, Grant, Principal, RobotPrincipal, UserPrincipal } from './principal.ts';
export type { Action, Permission, Resource } from './permission.ts';
export type { Authorizer, ProjectIdentity } from './authorizer.ts';
