import { type Permission, type PermissionTable, permissionsIn, tableAllows } from './permission.ts';

/** The roles a user or group can have in a project, by Harbor's names. */
export type ProjectRole = 'projectAdmin' | 'maintainer' | 'developer' | 'guest' | 'limitedGuest';

/** The numbers by which Harbor's API and database know the roles. */
export const PROJECT_ROLE_IDS: Readonly<Record<ProjectRole, number>> = {
  projectAdmin: 1,
  developer: 2,
  guest: 3,
  maintainer: 4,
  limitedGuest: 5,
};

/** From the least to the most; each role may what the ones before it may. */
const ASCENDING = ['limitedGuest', 'guest', 'developer', 'maintainer', 'projectAdmin'] as const;

/** What each role may beyond the one before it. */
const ADDED: Readonly<Record<ProjectRole, PermissionTable>> = {
  limitedGuest: {
    project: ['read'],
    quota: ['read'],
    repository: ['list', 'read', 'pull'],
    configuration: ['read'],
    scan: ['read'],
    sbom: ['read'],
    scanner: ['read'],
    tag: ['list'],
    accessory: ['list'],
    artifact: ['read', 'list'],
    'artifact-addition': ['read'],
  },
  guest: {
    member: ['read', 'list'],
    label: ['read', 'list'],
    robot: ['read', 'list'],
  },
  developer: {
    repository: ['create', 'update', 'push'],
    artifact: ['create'],
    tag: ['create'],
    'artifact-label': ['create', 'delete'],
    'tag-retention': ['create', 'read', 'update', 'delete', 'list', 'operate'],
    'export-cve': ['create', 'read', 'list'],
    'trust-policy': ['read', 'list'],
  },
  maintainer: {
    metadata: ['read'],
    label: ['create', 'update', 'delete'],
    repository: ['delete'],
    artifact: ['delete'],
    tag: ['delete'],
    'immutable-tag': ['create', 'update', 'delete', 'list'],
    'notification-policy': ['read', 'list'],
    scan: ['create', 'stop'],
    sbom: ['create', 'stop'],
  },
  projectAdmin: {
    project: ['update', 'delete'],
    member: ['create', 'update', 'delete'],
    metadata: ['create', 'update', 'delete'],
    log: ['list'],
    configuration: ['update'],
    robot: ['create', 'update', 'delete'],
    'notification-policy': ['create', 'update', 'delete'],
    scanner: ['create'],
    'trust-policy': ['create', 'update', 'delete'],
  },
};

const TABLES = cumulated();

/** What everybody, signed in or not, may in a public project. */
const PUBLIC: PermissionTable = {
  project: ['read'],
  label: ['read', 'list'],
  repository: ['list', 'pull'],
  scan: ['read'],
  scanner: ['read'],
  tag: ['list'],
  artifact: ['read', 'list'],
  'artifact-addition': ['read'],
  accessory: ['list'],
};

/** Whether a holder of the role may, in the project where the role is held. */
export function roleAllows(role: ProjectRole, permission: Permission): boolean {
  return tableAllows(TABLES[role], permission);
}

/** Whether everybody may in a public project. */
export function publicProjectAllows(permission: Permission): boolean {
  return tableAllows(PUBLIC, permission);
}

/** Everything a holder of the role may. */
export function permissionsOfRole(role: ProjectRole): readonly Permission[] {
  return permissionsIn(TABLES[role]);
}

/** The role with that number, or `undefined`. */
export function projectRoleOfId(id: number): ProjectRole | undefined {
  return ASCENDING.find((role) => PROJECT_ROLE_IDS[role] === id);
}

/** The one of the roles that may the most. */
export function highestRole(roles: readonly ProjectRole[]): ProjectRole | undefined {
  return ASCENDING.findLast((role) => roles.includes(role));
}

function cumulated(): Readonly<Record<ProjectRole, PermissionTable>> {
  const sums: Partial<Record<ProjectRole, PermissionTable>> = {};
  let sum: PermissionTable = {};
  for (const role of ASCENDING) {
    sum = union(sum, ADDED[role]);
    sums[role] = sum;
  }
  return sums as Record<ProjectRole, PermissionTable>;
}

function union(first: PermissionTable, second: PermissionTable): PermissionTable {
  const result: Record<string, readonly string[]> = { ...first };
  for (const [resource, actions] of Object.entries(second)) {
    result[resource] = [...new Set([...(result[resource] ?? []), ...actions])];
  }
  return result as PermissionTable;
}
