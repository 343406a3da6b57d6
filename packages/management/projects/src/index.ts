export { Projects } from './projects.ts';
export type { Deletability } from './projects.ts';
export type { NewProject, Project, ProjectMetadata } from './project.ts';
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
export { HARBOR_METADATA_KEYS, booleanKey, choiceKey, integerKey } from './project-metadata.ts';
export type { MetadataKey } from './project-metadata.ts';
export { checkProjectName } from './project-name.ts';
