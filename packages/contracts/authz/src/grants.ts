import { VicError } from '@vic/errors';
import { type Permission, type PermissionTable, permissionText, tableAllows } from './permission.ts';
import type { Grant } from './principal.ts';
import { ROBOT_PERMISSIONS } from './robot-permissions.ts';

/** The project name of a grant for every project. */
export const EVERY_PROJECT = '*';

/** The first grant that holds the permission in that project or, without one, in the system. */
export function grantFor(grants: readonly Grant[], permission: Permission, projectName?: string): Grant | undefined {
  return grants.find(
    (grant) =>
      reaches(grant.scope, projectName) &&
      grant.permissions.some(
        ({ resource, action }) => resource === permission.resource && action === permission.action,
      ),
  );
}

/** Whether the grants hold the permission in that project or, without one, in the system. */
export function grantsAllow(grants: readonly Grant[], permission: Permission, projectName?: string): boolean {
  return grantFor(grants, permission, projectName) !== undefined;
}

/** Refuses grants that nobody can be given: outside of {@link ROBOT_PERMISSIONS}, or empty. */
export function validateGrants(grants: readonly Grant[]): void {
  if (grants.length === 0) throw invalid('bad request empty permission');
  for (const { scope, permissions } of grants) {
    if (permissions.length === 0) throw invalid('bad request empty access');
    const table: PermissionTable = ROBOT_PERMISSIONS[scope.kind];
    const stranger = permissions.find((permission) => !tableAllows(table, permission));
    if (stranger !== undefined) throw invalid(`bad request permission: ${permissionText(stranger)}`);
  }
}

/** What is granted beyond the limit, as `project library repository:push`; `undefined` when nothing is. */
export function firstBeyond(grants: readonly Grant[], limit: readonly Grant[]): string | undefined {
  for (const { scope, permissions } of grants) {
    const name = scope.kind === 'project' ? scope.project : undefined;
    const beyond = permissions.find((permission) => !grantsAllow(limit, permission, name));
    if (beyond !== undefined) return `${scopeText(scope)} ${permissionText(beyond)}`;
  }
  return undefined;
}

/** `the system`, `every project` or `project library`. */
export function scopeText(scope: Grant['scope']): string {
  if (scope.kind === 'system') return 'the system';
  return scope.project === EVERY_PROJECT ? 'every project' : `project ${scope.project}`;
}

function reaches(scope: Grant['scope'], projectName: string | undefined): boolean {
  if (scope.kind === 'system') return projectName === undefined;
  return projectName !== undefined && (scope.project === EVERY_PROJECT || scope.project === projectName);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'GRANTS_INVALID', message });
}
