import type { ProjectRole } from './project-role.ts';

/** The roles of vSphere Integrated Containers' management portal. */
export type Persona = 'viewer' | 'developer' | 'devOpsAdministrator' | 'cloudAdministrator';

/** What a persona is here: a role in its projects, or system administrator. */
export const PERSONA_ROLES: Readonly<Record<Persona, ProjectRole | 'systemAdministrator'>> = {
  viewer: 'guest',
  developer: 'developer',
  devOpsAdministrator: 'projectAdmin',
  cloudAdministrator: 'systemAdministrator',
};
