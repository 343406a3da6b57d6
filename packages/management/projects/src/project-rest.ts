import type { RestRoutes } from '@vic/rest';
import { ProjectDirectory } from './project-directory.ts';
import type { ProjectsDeps } from './project-services.ts';
import type { Projects } from './projects.ts';
import type { ProjectMembers } from './project-members.ts';
import type { CveAllowlists } from './cve-allowlists.ts';
import { allowlistRoutes } from './rest/allowlist-routes.ts';
import { memberRoutes } from './rest/member-routes.ts';
import { metadataRoutes } from './rest/metadata-routes.ts';
import { projectRoutes } from './rest/project-routes.ts';

/** What the REST API of projects needs. */
export interface ProjectRestDeps extends Pick<
  ProjectsDeps,
  'database' | 'accounts' | 'contents' | 'quotas' | 'registries'
> {
  readonly projects: Projects;
  readonly members: ProjectMembers;
  readonly allowlists: CveAllowlists;
  /** The setting `project_creation_restriction`. */
  projectCreation(): Promise<'everyone' | 'adminonly'>;
}

/** Projects, members, metadata and the system's CVE allowlist. */
export function projectRestRoutes(deps: ProjectRestDeps): readonly RestRoutes[] {
  const directory = new ProjectDirectory(deps);
  return [
    projectRoutes({
      projects: deps.projects,
      members: deps.members,
      allowlists: deps.allowlists,
      accounts: deps.accounts,
      contents: deps.contents,
      quotas: deps.quotas,
      registries: deps.registries,
      directory,
      projectCreation: async () => deps.projectCreation(),
    }),
    memberRoutes(deps.members),
    metadataRoutes(deps.projects),
    allowlistRoutes(deps.allowlists),
  ];
}
