import { describe, expect, it } from 'vitest';
import { isVicError } from '@vic/errors';
import {
  ANONYMOUS,
  type Grant,
  type Permission,
  type RobotPrincipal,
  type UserPrincipal,
  decide,
  explain,
  firstBeyond,
  grantsAllow,
  validateGrants,
} from './index.ts';

const pull: Permission = { resource: 'repository', action: 'pull' };
const push: Permission = { resource: 'repository', action: 'push' };
const listUsers: Permission = { resource: 'user', action: 'list' };
const secret = { id: 1, name: 'secret', public: false };
const open = { id: 2, name: 'open', public: true };
const ada: UserPrincipal = { kind: 'user', id: 3, name: 'ada', systemAdministrator: false, groupIds: [] };
const root: UserPrincipal = { ...ada, id: 1, name: 'admin', systemAdministrator: true };

const inProject = (project: string, ...permissions: Permission[]): Grant => ({
  scope: { kind: 'project', project },
  permissions,
});
const inSystem = (...permissions: Permission[]): Grant => ({ scope: { kind: 'system' }, permissions });
const robot = (...grants: Grant[]): RobotPrincipal => ({ kind: 'robot', id: 4, name: 'robot-ci', grants });

describe('decide', () => {
  it('lets everybody pull from a public project, and nobody else push', () => {
    for (const principal of [ANONYMOUS, ada, robot()]) {
      expect(decide(principal, pull, { project: open, roles: [] })).toEqual({
        allowed: true,
        ground: { kind: 'publicProject' },
      });
      expect(decide(principal, push, { project: open, roles: [] }).allowed).toBe(false);
    }
  });

  it('asks strangers to sign in', () => {
    expect(decide(ANONYMOUS, pull, { project: secret, roles: [] }).ground).toEqual({ kind: 'notSignedIn' });
  });

  it('goes by the best role in the project', () => {
    expect(decide(ada, push, { project: secret, roles: ['guest', 'developer'] })).toEqual({
      allowed: true,
      ground: { kind: 'role', role: 'developer' },
    });
    expect(decide(ada, push, { project: secret, roles: ['guest'] })).toEqual({
      allowed: false,
      ground: { kind: 'roleTooLow', role: 'guest' },
    });
    expect(decide(ada, pull, { project: secret, roles: [] }).ground).toEqual({ kind: 'noRole' });
  });

  it('lets system administrators do everything, and others nothing in the system', () => {
    expect(decide(root, push, { project: secret, roles: [] }).allowed).toBe(true);
    expect(decide(root, listUsers, { roles: [] }).allowed).toBe(true);
    expect(decide(ada, listUsers, { roles: [] }).ground).toEqual({ kind: 'notAdministrator' });
  });

  it('goes by the grants of robots, in their places only', () => {
    const puller = robot(inProject('secret', pull), inSystem(listUsers));
    expect(decide(puller, pull, { project: secret, roles: [] }).allowed).toBe(true);
    expect(decide(puller, push, { project: secret, roles: [] }).ground).toEqual({ kind: 'noGrant' });
    expect(decide(puller, pull, { project: { ...secret, name: 'other' }, roles: [] }).allowed).toBe(false);
    expect(decide(puller, listUsers, { roles: [] }).allowed).toBe(true);
    expect(decide(puller, pull, { roles: [] }).allowed).toBe(false);
    expect(decide(robot(inProject('*', pull)), pull, { project: secret, roles: [] }).allowed).toBe(true);
    expect(decide(robot(inProject('*', listUsers)), listUsers, { roles: [] }).allowed).toBe(false);
  });

  it('takes the less of user and access token', () => {
    const limited = { ...root, grants: [inProject('secret', pull)] };
    expect(decide(limited, pull, { project: secret, roles: [] }).allowed).toBe(true);
    expect(decide(limited, push, { project: secret, roles: [] }).ground).toEqual({ kind: 'tokenTooNarrow' });
    expect(decide(limited, listUsers, { roles: [] }).allowed).toBe(false);
    const generous = { ...ada, grants: [inProject('*', pull, push)] };
    expect(decide(generous, push, { project: secret, roles: ['guest'] }).allowed).toBe(false);
    expect(decide({ ...root, grants: [] }, pull, { project: secret, roles: [] }).allowed).toBe(false);
  });
});

describe('explain', () => {
  it.each([
    [
      explain(ada, pull, { project: secret, roles: [] }),
      'ada may not repository:pull in project secret: neither the user nor a group of the user is a member of the project.',
    ],
    [
      explain(ada, push, { project: secret, roles: ['guest'] }),
      'ada may not repository:push in project secret: the role guest does not allow it.',
    ],
    [
      explain(ada, push, { project: secret, roles: ['developer'] }),
      'ada may repository:push in project secret: the role developer allows it.',
    ],
    [
      explain(ANONYMOUS, pull, { project: open, roles: [] }),
      'anonymous may repository:pull in project open: the project is public.',
    ],
    [
      explain(robot(inProject('*', pull)), pull, { project: secret, roles: [] }),
      'robot-ci may repository:pull in project secret: it is granted for every project.',
    ],
    [
      explain(robot(), listUsers, { roles: [] }),
      'robot-ci may not user:list in the system: no permission granted to the robot or token covers it in the system.',
    ],
    [
      explain({ ...root, grants: [] }, listUsers, { roles: [] }),
      'admin may not user:list in the system: the user may, but the permissions of the access token used do not cover it.',
    ],
  ])('%s', (said, expected) => {
    expect(said).toBe(expected);
  });
});

describe('grants', () => {
  it('hold in the places they name', () => {
    const grants = [inProject('a', pull), inProject('*', push)];
    expect(grantsAllow(grants, pull, 'a')).toBe(true);
    expect(grantsAllow(grants, pull, 'b')).toBe(false);
    expect(grantsAllow(grants, push, 'b')).toBe(true);
    expect(grantsAllow(grants, push)).toBe(false);
  });

  it('are refused when nobody can be given them', () => {
    const refusal = (grants: readonly Grant[]): string | undefined => {
      try {
        validateGrants(grants);
        return undefined;
      } catch (error) {
        return isVicError(error, { class: 'InvalidArgument' }) ? error.message : 'another error';
      }
    };
    expect(refusal([inProject('a', pull), inSystem({ resource: 'catalog', action: 'read' })])).toBeUndefined();
    expect(refusal([])).toBe('bad request empty permission');
    expect(refusal([inProject('a')])).toBe('bad request empty access');
    expect(refusal([inSystem(pull)])).toBe('bad request permission: repository:pull');
    expect(refusal([inSystem({ resource: 'configuration', action: 'read' })])).toContain('configuration:read');
    expect(refusal([inProject('a', { resource: 'constructor' as 'tag', action: 'list' })])).toContain('constructor');
  });

  it('beyond a limit are named', () => {
    const limit = [inProject('*', pull), inProject('a', push)];
    expect(firstBeyond([inProject('a', pull, push), inProject('b', pull)], limit)).toBeUndefined();
    expect(firstBeyond([inProject('b', pull, push)], limit)).toBe('project b repository:push');
    expect(firstBeyond([inProject('*', push)], limit)).toBe('every project repository:push');
    expect(firstBeyond([inSystem(listUsers)], limit)).toBe('the system user:list');
  });
});
