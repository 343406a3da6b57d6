export { Projects } from './projects.ts';
export type { Deletability } from './projects.ts';
export type { NewProject, Project, ProjectMetadata } from './project.ts';
export { ProjectMembers } from './project-members.ts';
export type { NewMember, ProjectMember, ProjectMembersDeps } from './project-members.ts';
export { ProjectAuthorizer } from './project-authorizer.ts';
export { CveAllowlists } from './cve-allowlists.ts';
export type { CveAllowlist, CveAllowlistContent } from './cve-allowlists.ts';
export { projectRestRoutes } from './project-rest.ts';
export type { ProjectRestDeps } from './project-rest.ts';
export { ProjectPresenter } from './rest/project-presenter.ts';
export type { PresenterDeps } from './rest/project-presenter.ts';
export { visibleProjectIds } from './visible-projects.ts';
export { ShortCache } from './short-cache.ts';
export type {
  Account,
  AccountDirectory,
  GroupReference,
  ProjectContents,
  ProjectQuotas,
  ProjectsDeps,
  ProxyRegistries,
  UserReference,
} from './project-services.ts';
export { booleanKey, integerKey } from './project-metadata.ts';
export type { MetadataKey } from './project-metadata.ts';
