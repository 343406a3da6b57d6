import type { ProjectIdentity } from '@vic/authz';

/** Finds projects; implemented by the owner of projects. */
export interface ProjectLookup {
  findProject(nameOrId: string, isName: boolean): Promise<ProjectIdentity | undefined>;
}
