import type { Permission } from './permission.ts';

/** Nobody in particular: sees public projects. */
export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
}

/** A person, however signed in. */
export interface UserPrincipal {
  readonly kind: 'user';
  readonly id: number;
  readonly name: string;
  readonly systemAdministrator: boolean;
  /** Groups the user belonged to when signing in. */
  readonly groupIds: readonly number[];
  /** What the access token used allows at most; absent when the user signed in with everything the user may do. */
  readonly grants?: readonly Grant[];
}

/** A robot account, or a short-lived one the registry made for itself (a scanner's). */
export interface RobotPrincipal {
  readonly kind: 'robot';
  readonly id: number;
  /** With its prefix and project, as in audit records. */
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** Whoever makes a request. */
export type Principal = AnonymousPrincipal | UserPrincipal | RobotPrincipal;

/** Permissions in one place. */
export interface Grant {
  /** `system`, or a project's name, or `*` for every project. */
  readonly scope: { readonly kind: 'system' } | { readonly kind: 'project'; readonly project: string };
  readonly permissions: readonly Permission[];
}

/** The one anonymous principal. */
export const ANONYMOUS: AnonymousPrincipal = { kind: 'anonymous' };

/** The name of a principal in audit records. */
export function nameOf(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : principal.name;
}
