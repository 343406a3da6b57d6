import type { ProjectIdentity } from './authorizer.ts';
import { grantFor, scopeText } from './grants.ts';
import { type Permission, permissionText } from './permission.ts';
import { type Grant, type Principal, nameOf } from './principal.ts';
import { type ProjectRole, highestRole, publicProjectAllows, roleAllows } from './project-role.ts';

/** Where a permission is asked for, and what the principal is there. */
export interface AccessContext {
  /** The system when absent. */
  readonly project?: ProjectIdentity;
  /** The roles of a user in the project: as member, and through groups. */
  readonly roles: readonly ProjectRole[];
}

/** Why something is allowed, or what stands against it. */
export type Ground =
  | { readonly kind: 'systemAdministrator' }
  | { readonly kind: 'publicProject' }
  | { readonly kind: 'role'; readonly role: ProjectRole }
  | { readonly kind: 'grant'; readonly grant: Grant }
  | { readonly kind: 'notSignedIn' }
  | { readonly kind: 'noRole' }
  | { readonly kind: 'roleTooLow'; readonly role: ProjectRole }
  | { readonly kind: 'notAdministrator' }
  | { readonly kind: 'noGrant' }
  /** The user may, but the access token used may not. */
  | { readonly kind: 'tokenTooNarrow' };

/** An answer, and the ground it rests on. */
export interface Decision {
  readonly allowed: boolean;
  readonly ground: Ground;
}

/** Decides for one principal in one place: the only place where roles, grants and publicity meet. */
export function decide(principal: Principal, permission: Permission, context: AccessContext): Decision {
  const { project } = context;
  if (project?.public === true && publicProjectAllows(permission)) return allow({ kind: 'publicProject' });
  switch (principal.kind) {
    case 'anonymous':
      return refuse({ kind: 'notSignedIn' });
    case 'robot':
      return byGrants(principal.grants, permission, project);
    case 'user': {
      const own = byStanding(principal.systemAdministrator, permission, context);
      if (!own.allowed || principal.grants === undefined) return own;
      const token = byGrants(principal.grants, permission, project);
      return token.allowed ? token : refuse({ kind: 'tokenTooNarrow' });
    }
  }
}

/** The decision as a sentence: the answer to "why can X not pull?". */
export function explain(principal: Principal, permission: Permission, context: AccessContext): string {
  const { allowed, ground } = decide(principal, permission, context);
  const place = context.project === undefined ? 'the system' : `project ${context.project.name}`;
  const verdict = `${nameOf(principal)} ${allowed ? 'may' : 'may not'} ${permissionText(permission)} in ${place}`;
  return `${verdict}: ${because(ground, place)}.`;
}

function byStanding(administrator: boolean, permission: Permission, { project, roles }: AccessContext): Decision {
  if (administrator) return allow({ kind: 'systemAdministrator' });
  if (project === undefined) return refuse({ kind: 'notAdministrator' });
  const role = roles.find((candidate) => roleAllows(candidate, permission));
  if (role !== undefined) return allow({ kind: 'role', role });
  const highest = highestRole(roles);
  return refuse(highest === undefined ? { kind: 'noRole' } : { kind: 'roleTooLow', role: highest });
}

function byGrants(grants: readonly Grant[], permission: Permission, project: ProjectIdentity | undefined): Decision {
  const grant = grantFor(grants, permission, project?.name);
  return grant === undefined ? refuse({ kind: 'noGrant' }) : allow({ kind: 'grant', grant });
}

function because(ground: Ground, place: string): string {
  switch (ground.kind) {
    case 'systemAdministrator':
      return 'a system administrator may everything';
    case 'publicProject':
      return 'the project is public';
    case 'role':
      return `the role ${ground.role} allows it`;
    case 'grant':
      return `it is granted for ${scopeText(ground.grant.scope)}`;
    case 'notSignedIn':
      return 'nobody is signed in';
    case 'noRole':
      return 'neither the user nor a group of the user is a member of the project';
    case 'roleTooLow':
      return `the role ${ground.role} does not allow it`;
    case 'notAdministrator':
      return 'only a system administrator may';
    case 'noGrant':
      return `no permission granted to the robot or token covers it in ${place}`;
    case 'tokenTooNarrow':
      return 'the user may, but the permissions of the access token used do not cover it';
  }
}

function allow(ground: Ground): Decision {
  return { allowed: true, ground };
}

function refuse(ground: Ground): Decision {
  return { allowed: false, ground };
}
