import { EVERY_PROJECT, type Grant, type Permission } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { ProjectLookup } from './project-lookup.ts';

/** A grant as it is kept: a project with its id, so that another project of the same name later gets nothing. */
export type StoredGrant =
  | { readonly kind: 'system'; readonly permissions: readonly Permission[] }
  | {
      readonly kind: 'project';
      readonly project: string;
      /** Absent for every project. */
      readonly projectId?: number;
      readonly permissions: readonly Permission[];
    };

/** Grants with the ids of their projects; a project that is not there is refused. */
export async function storeGrants(grants: readonly Grant[], projects: ProjectLookup): Promise<readonly StoredGrant[]> {
  const stored: StoredGrant[] = [];
  for (const { scope, permissions } of grants) {
    if (scope.kind === 'system') stored.push({ kind: 'system', permissions });
    else if (scope.project === EVERY_PROJECT) stored.push({ kind: 'project', project: scope.project, permissions });
    else {
      const project = await projects.findProject(scope.project, true);
      if (project === undefined) throw noSuchProject(scope.project);
      stored.push({ kind: 'project', project: project.name, projectId: project.id, permissions });
    }
  }
  return stored;
}

/** What stored grants allow now: those for projects that are gone are left out. */
export async function liveGrants(stored: readonly StoredGrant[], projects: ProjectLookup): Promise<readonly Grant[]> {
  const grants: Grant[] = [];
  for (const grant of stored) {
    if (grant.kind === 'system') grants.push({ scope: { kind: 'system' }, permissions: grant.permissions });
    else if (grant.projectId === undefined || (await isStill(grant.project, grant.projectId, projects))) {
      grants.push({ scope: { kind: 'project', project: grant.project }, permissions: grant.permissions });
    }
  }
  return grants;
}

/** The grants of a column. */
export function parseStoredGrants(json: string): readonly StoredGrant[] {
  return JSON.parse(json) as readonly StoredGrant[];
}

async function isStill(name: string, id: number, projects: ProjectLookup): Promise<boolean> {
  return (await projects.findProject(name, true))?.id === id;
}

function noSuchProject(name: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'PROJECT_NOT_FOUND',
    message: `project ${name.slice(0, 255)} not found`,
  });
}
