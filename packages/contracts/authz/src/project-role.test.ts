import { describe, expect, it } from 'vitest';
import {
  PERSONA_ROLES,
  PROJECT_ROLE_IDS,
  type ProjectRole,
  ROBOT_PERMISSIONS,
  highestRole,
  permissionText,
  permissionsIn,
  permissionsOfRole,
  projectRoleOfId,
  publicProjectAllows,
  roleAllows,
} from './index.ts';

const ASCENDING: readonly ProjectRole[] = ['limitedGuest', 'guest', 'developer', 'maintainer', 'projectAdmin'];

describe('the roles of a project', () => {
  /** Harbor's counts, without the five of preheating that only its administrators have. */
  it.each([
    ['limitedGuest', 14],
    ['guest', 20],
    ['developer', 36],
    ['maintainer', 53],
    ['projectAdmin', 70],
  ] as const)('%s has what Harbor gives it', (role, count) => {
    const harbors = permissionsOfRole(role).filter(({ resource }) => resource !== 'trust-policy');
    expect(harbors).toHaveLength(count);
    expect(new Set(harbors.map(permissionText)).size).toBe(count);
  });

  it('include what lower ones have', () => {
    ASCENDING.slice(1).forEach((role, index) => {
      const lower = permissionsOfRole(ASCENDING[index] ?? role);
      expect(lower.filter((permission) => !roleAllows(role, permission))).toEqual([]);
    });
  });

  it.each([
    ['limitedGuest', 'repository', 'pull', true],
    ['limitedGuest', 'member', 'list', false],
    ['guest', 'member', 'list', true],
    ['guest', 'repository', 'push', false],
    ['developer', 'repository', 'push', true],
    ['developer', 'artifact', 'delete', false],
    ['developer', 'tag-retention', 'operate', true],
    ['maintainer', 'artifact', 'delete', true],
    ['maintainer', 'scan', 'create', true],
    ['maintainer', 'member', 'create', false],
    ['maintainer', 'scanner', 'create', false],
    ['projectAdmin', 'member', 'create', true],
    ['projectAdmin', 'log', 'list', true],
    ['projectAdmin', 'project', 'delete', true],
    ['projectAdmin', 'quota', 'update', false],
    ['projectAdmin', 'registry', 'read', false],
  ] as const)('%s: %s %s is %s', (role, resource, action, allowed) => {
    expect(roleAllows(role, { resource, action })).toBe(allowed);
  });

  it('have the numbers of the API', () => {
    for (const role of ASCENDING) expect(projectRoleOfId(PROJECT_ROLE_IDS[role])).toBe(role);
    expect([1, 2, 3, 4, 5].map(projectRoleOfId)).toEqual([
      'projectAdmin',
      'developer',
      'guest',
      'maintainer',
      'limitedGuest',
    ]);
    expect(projectRoleOfId(6)).toBeUndefined();
  });

  it('have one that may the most', () => {
    expect(highestRole(['guest', 'maintainer', 'developer'])).toBe('maintainer');
    expect(highestRole([])).toBeUndefined();
  });

  it('are what the personas of the portal become', () => {
    expect(PERSONA_ROLES).toEqual({
      viewer: 'guest',
      developer: 'developer',
      devOpsAdministrator: 'projectAdmin',
      cloudAdministrator: 'systemAdministrator',
    });
  });
});

it('a public project lets everybody pull, and not see members', () => {
  expect(publicProjectAllows({ resource: 'repository', action: 'pull' })).toBe(true);
  expect(publicProjectAllows({ resource: 'repository', action: 'push' })).toBe(false);
  expect(publicProjectAllows({ resource: 'member', action: 'list' })).toBe(false);
});

describe('robots', () => {
  it('never hold the configuration of the system', () => {
    expect(permissionsIn(ROBOT_PERMISSIONS.system).filter(({ resource }) => resource === 'configuration')).toEqual([]);
  });

  it('may hold in a project all that an administrator has there, but the reading of its configuration, and operating', () => {
    const held = new Set(permissionsIn(ROBOT_PERMISSIONS.project).map(permissionText));
    const missing = permissionsOfRole('projectAdmin')
      .map(permissionText)
      .filter((text) => !held.has(text));
    expect(missing).toEqual([
      'repository:create',
      'configuration:read',
      'configuration:update',
      'robot:update',
      'tag-retention:operate',
      'export-cve:list',
    ]);
  });
});
