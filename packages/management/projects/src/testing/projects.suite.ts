import { ANONYMOUS, type Permission, type Principal } from '@vic/authz';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { booleanKey, visibleProjectIds } from '../index.ts';
import { testWorld, userNamed } from './test-world.ts';

const admin = userNamed('admin');
const alice = userNamed('alice');
const bob = userNamed('bob');
const PULL = { resource: 'repository', action: 'pull' } as const;
const PUSH = { resource: 'repository', action: 'push' } as const;

/** What projects and their members promise on every database. */
export const projectsSuite: DialectSuite = (open) => {
  describe('create()', () => {
    it('makes the operator the administrator, charges the quota and tells of it', async () => {
      await using database = await open();
      const { projects, members, events, limits } = testWorld(database);
      const project = await projects.create({ name: 'team', storageLimitBytes: 5000 }, alice);
      expect(project).toMatchObject({ name: 'team', public: false, ownerId: 2, metadata: { public: 'false' } });
      expect(await members.rolesOf(alice, project.id)).toEqual(['projectAdmin']);
      expect(limits.get(project.id)).toBe(5000);
      expect(events).toEqual([
        { type: 'project.created', projectId: project.id, projectName: 'team', operator: 'alice' },
      ]);
    });

    it('gives one name to exactly one of many who ask at once', async () => {
      await using database = await open();
      const { projects } = testWorld(database);
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, async () => projects.create({ name: 'race' }, alice)),
      );
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
      expect(refused).toHaveLength(7);
      for (const error of refused) expect(error).toMatchObject({ class: 'AlreadyExists', code: 'PROJECT_EXISTS' });
    });

    it('refuses names that no repository can begin with', async () => {
      await using database = await open();
      const { projects } = testWorld(database);
      for (const name of ['', 'Team', 'a/b', '-a', 'a..b', 'é', 'a'.repeat(256)]) {
        await expect(projects.create({ name }, alice)).rejects.toMatchObject({ code: 'PROJECT_NAME_INVALID' });
      }
      await projects.create({ name: 'a-b_c.d1' }, alice);
    });

    it('undoes everything when the quota refuses', async () => {
      await using database = await open();
      const { projects, deps, events } = testWorld(database);
      const refusing = testWorld(database, {
        quotas: { ...deps.quotas, create: async () => Promise.reject(new Error('no')) },
      });
      await expect(refusing.projects.create({ name: 'team' }, alice)).rejects.toThrow('no');
      expect(await projects.findByName('team')).toBeUndefined();
      expect(events).toEqual([]);
    });

    it('makes a proxy cache of a registry that there is, never of another', async () => {
      await using database = await open();
      const { projects } = testWorld(database);
      await expect(projects.create({ name: 'hub', registryId: 8 }, admin)).rejects.toThrow('no registry 8');
      const metadata = { public: 'true', proxy_speed_kb: '100' };
      const project = await projects.create({ name: 'hub', registryId: 7, metadata }, admin);
      expect(project).toMatchObject({ registryId: 7, metadata });
      const plain = await projects.create({ name: 'plain', metadata }, admin);
      expect(plain.metadata).toEqual({ public: 'true' });
    });

    it('gives the projects of robots to the first administrator', async () => {
      await using database = await open();
      const { projects } = testWorld(database);
      const robot: Principal = { kind: 'robot', id: 1, name: 'robot-ci', grants: [] };
      expect(await projects.create({ name: 'ci' }, robot)).toMatchObject({ ownerId: 1 });
    });
  });

  it('createDefault() makes default-project once, and not again after it was deleted', async () => {
    await using database = await open();
    const { projects } = testWorld(database);
    await projects.createDefault(admin);
    const project = await projects.findByName('default-project');
    expect(project).toMatchObject({ public: true });
    await projects.delete(project?.id ?? 0, admin);
    await projects.createDefault(admin);
    expect(await projects.findByName('default-project')).toBeUndefined();
  });

  it('find() takes a number for an id unless it is said to be a name', async () => {
    await using database = await open();
    const { projects } = testWorld(database);
    const numbered = await projects.create({ name: '4711' }, alice);
    expect(await projects.find(String(numbered.id))).toMatchObject({ name: '4711' });
    expect(await projects.find('4711')).toBeUndefined();
    expect(await projects.find('4711', true)).toMatchObject({ id: numbered.id });
  });

  describe('setMetadata()', () => {
    it('changes what it is given, is seen at once here, and within a second in another process', async () => {
      await using database = await open();
      const here = testWorld(database);
      const there = testWorld(database);
      const { id } = await here.projects.create({ name: 'team', metadata: { auto_scan: 'true' } }, alice);
      await here.projects.findByName('team');
      await there.projects.findByName('team');
      await here.projects.setMetadata(id, { public: 'TRUE', severity: 'High' });
      const metadata = { public: 'true', auto_scan: 'true', severity: 'high' };
      expect(await here.projects.findByName('team')).toMatchObject({ public: true, metadata });
      expect(await there.projects.findByName('team')).toMatchObject({ public: false });
      there.pass(1_000);
      expect(await there.projects.findByName('team')).toMatchObject({ public: true, metadata });
    });

    it('refuses keys and values that are not ones, and knows those of other packages', async () => {
      await using database = await open();
      const { projects } = testWorld(database, { metadataKeys: [booleanKey('fixable_only')] });
      const { id } = await projects.create({ name: 'team' }, alice);
      for (const wrong of [{ public: 'maybe' }, { severity: 'bad' }, { nonsense: '1' }, { retention_id: '3' }]) {
        await expect(projects.setMetadata(id, wrong)).rejects.toMatchObject({ class: 'InvalidArgument' });
      }
      await projects.setMetadata(id, { fixable_only: 'true' });
      await projects.removeMetadata(id, 'fixable_only');
      expect((await projects.findById(id))?.metadata).toEqual({ public: 'false' });
    });

    it('loses none of several changes at once', async () => {
      await using database = await open();
      const { projects } = testWorld(database);
      const { id } = await projects.create({ name: 'team' }, alice);
      const keys = ['public', 'auto_scan', 'prevent_vul', 'enable_content_trust', 'auto_sbom_generation'];
      await Promise.all(keys.map(async (key) => projects.setMetadata(id, { [key]: 'true' })));
      expect((await projects.findById(id))?.metadata).toEqual(Object.fromEntries(keys.map((key) => [key, 'true'])));
    });
  });

  it('delete() refuses while there are repositories, then takes members and allowlist along', async () => {
    await using database = await open();
    const removed: string[] = [];
    const world = testWorld(database, { onDelete: [async (_transaction, { name }) => removed.push(name)] });
    const { projects, members, allowlists, repositories, events } = world;
    const { id } = await projects.create({ name: 'team' }, alice);
    await allowlists.set(database.db, id, { cveIds: ['CVE-1'], expiresAtS: undefined });
    repositories.set(id, 1);
    const message = 'the project contains repositories, can not be deleted';
    expect(await projects.deletability(id)).toEqual({ deletable: false, message });
    await expect(projects.delete(id, alice)).rejects.toMatchObject({ class: 'FailedPrecondition', message });
    repositories.set(id, 0);
    await projects.delete(id, alice);
    expect(await projects.findById(id)).toBeUndefined();
    expect(await members.list(id)).toEqual([]);
    expect((await allowlists.ofProject(id)).cveIds).toEqual([]);
    expect(removed).toEqual(['team']);
    expect(events.at(-1)).toMatchObject({ type: 'project.deleted', projectName: 'team', operator: 'alice' });
    const again = await projects.create({ name: 'team' }, bob);
    expect(again.id).toBeGreaterThan(id);
  });

  describe('members', () => {
    it('are users and groups, each once', async () => {
      await using database = await open();
      const { projects, members } = testWorld(database);
      const { id } = await projects.create({ name: 'team' }, alice);
      const added = await members.add(id, { user: { name: 'bob' }, roleId: 3 });
      expect(await members.get(id, added.id)).toEqual(added);
      await members.add(id, { group: { ldapDn: 'cn=builders,dc=example' }, roleId: 2 });
      await expect(members.add(id, { user: { id: 3 }, roleId: 1 })).rejects.toMatchObject({
        class: 'AlreadyExists',
        message: 'The project member specified already exist',
      });
      await expect(members.add(id, { user: { id: 99 }, roleId: 1 })).rejects.toMatchObject({
        class: 'InvalidArgument',
      });
      await expect(members.add(id, { user: { name: 'carol' }, roleId: 6 })).rejects.toMatchObject({
        code: 'MEMBER_ROLE_INVALID',
      });
      expect((await members.list(id)).map((member) => [member.entityName, member.roleId])).toEqual([
        ['alice', 1],
        ['bob', 3],
        ['builders', 2],
      ]);
      expect((await members.list(id, 'bu')).map((member) => member.entityName)).toEqual(['builders']);
      expect(await members.countByRole(id)).toEqual(
        new Map([
          [1, 1],
          [2, 1],
          [3, 1],
        ]),
      );
    });

    it('gain and lose what they may at once', async () => {
      await using database = await open();
      const { projects, members, authorizer } = testWorld(database);
      const project = await projects.create({ name: 'team' }, alice);
      expect(await authorizer.isAllowed(bob, PULL, project)).toBe(false);
      const { id } = await members.add(project.id, { user: { name: 'bob' }, roleId: 3 });
      expect(await authorizer.isAllowed(bob, PULL, project)).toBe(true);
      expect(await authorizer.isAllowed(bob, PUSH, project)).toBe(false);
      await members.changeRole(project.id, id, 2);
      expect(await authorizer.isAllowed(bob, PUSH, project)).toBe(true);
      await members.remove(project.id, id);
      expect(await authorizer.isAllowed(bob, PULL, project)).toBe(false);
      await expect(members.remove(project.id, id)).rejects.toMatchObject({ class: 'NotFound' });
    });

    it('of a project that is gone are not added', async () => {
      await using database = await open();
      const { members } = testWorld(database);
      const added = members.add(4711, { user: { name: 'bob' }, roleId: 3 });
      await expect(added).rejects.toMatchObject({ class: 'NotFound', code: 'PROJECT_NOT_FOUND' });
    });

    it('of another project are not found', async () => {
      await using database = await open();
      const { projects, members } = testWorld(database);
      const first = await projects.create({ name: 'first' }, alice);
      const second = await projects.create({ name: 'second' }, alice);
      const { id } = await members.add(first.id, { user: { name: 'bob' }, roleId: 3 });
      await expect(members.get(second.id, id)).rejects.toMatchObject({ class: 'NotFound' });
      await expect(members.changeRole(second.id, id, 1)).rejects.toMatchObject({ class: 'NotFound' });
    });
  });

  describe('the authorizer', () => {
    it('takes the best of the roles of a user and the groups', async () => {
      await using database = await open();
      const { projects, members, authorizer } = testWorld(database);
      const project = await projects.create({ name: 'team' }, alice);
      await members.add(project.id, { user: { name: 'bob' }, roleId: 5 });
      await members.add(project.id, { group: { name: 'builders' }, roleId: 2 });
      expect(await authorizer.isAllowed(bob, PUSH, project)).toBe(false);
      expect(await authorizer.isAllowed(userNamed('bob', { groupIds: [11] }), PUSH, project)).toBe(true);
      expect(await authorizer.explain(bob, PUSH, project)).toContain('limitedGuest');
    });

    it('lets everybody pull from a public project, and administrators do everything', async () => {
      await using database = await open();
      const { projects, authorizer } = testWorld(database);
      const hidden = await projects.create({ name: 'hidden' }, alice);
      const open_ = await projects.create({ name: 'open', metadata: { public: 'true' } }, alice);
      expect(await authorizer.isAllowed(ANONYMOUS, PULL, hidden)).toBe(false);
      expect(await authorizer.isAllowed(ANONYMOUS, PULL, open_)).toBe(true);
      expect(await authorizer.isAllowed(ANONYMOUS, PUSH, open_)).toBe(false);
      expect(await authorizer.isAllowed(admin, PUSH, hidden)).toBe(true);
      expect(await authorizer.isAllowed(alice, { resource: 'user', action: 'list' })).toBe(false);
    });

    it('keeps access tokens and robots within their grants', async () => {
      await using database = await open();
      const { projects, authorizer } = testWorld(database);
      const [team, other] = [
        await projects.create({ name: 'team' }, alice),
        await projects.create({ name: 'other' }, alice),
      ];
      const grants = [{ scope: { kind: 'project', project: 'team' }, permissions: [PULL] }] as const;
      const token = userNamed('alice', { grants });
      const robot: Principal = { kind: 'robot', id: 5, name: 'robot-x', grants };
      for (const principal of [token, robot]) {
        expect(await authorizer.isAllowed(principal, PULL, team)).toBe(true);
        expect(await authorizer.isAllowed(principal, PUSH, team)).toBe(false);
        expect(await authorizer.isAllowed(principal, PULL, other)).toBe(false);
      }
      expect(await authorizer.isAllowed(userNamed('bob', { grants }), PULL, team)).toBe(false);
    });
  });

  it('visibleProjectIds() are the public ones and one’s own, within the grants', async () => {
    await using database = await open();
    const { projects, members } = testWorld(database);
    const a = await projects.create({ name: 'a' }, alice);
    const b = await projects.create({ name: 'b' }, bob);
    const c = await projects.create({ name: 'c', metadata: { public: 'true' } }, admin);
    await members.add(b.id, { group: { name: 'builders' }, roleId: 3 });
    const see = async (principal: Principal): Promise<unknown> => {
      const ids = await visibleProjectIds(database.db, principal);
      return ids === 'all' ? 'all' : ids.toSorted((x, y) => x - y);
    };
    const grants = [{ scope: { kind: 'project', project: 'b' }, permissions: [PULL] }] as const;
    expect(await see(ANONYMOUS)).toEqual([c.id]);
    expect(await see(alice)).toEqual([a.id, c.id]);
    expect(await see(userNamed('alice', { groupIds: [11] }))).toEqual([a.id, b.id, c.id]);
    expect(await see(userNamed('alice', { groupIds: [11], grants }))).toEqual([b.id, c.id]);
    expect(await see(admin)).toBe('all');
    expect(await see(userNamed('admin', { grants }))).toEqual([b.id, c.id]);
    expect(await see({ kind: 'robot', id: 1, name: 'r', grants })).toEqual([b.id, c.id]);
    expect(await see({ kind: 'robot', id: 1, name: 'r', grants: [] })).toEqual([c.id]);
    const everywhere = [{ scope: { kind: 'project', project: '*' }, permissions: [PULL] }] as const;
    expect(await see({ kind: 'robot', id: 1, name: 'r', grants: everywhere })).toBe('all');
  });

  it('projectsWhere() are those where a role, a group’s role or a grant allows it', async () => {
    await using database = await open();
    const { projects, members } = testWorld(database);
    await projects.create({ name: 'a' }, alice);
    const b = await projects.create({ name: 'b' }, bob);
    await projects.create({ name: 'c', metadata: { public: 'true' } }, admin);
    await members.add(b.id, { group: { name: 'builders' }, roleId: 2 });
    const where = async (principal: Principal, permission: Permission): Promise<string[]> =>
      (await members.projectsWhere(principal, permission)).map(({ name }) => name).toSorted();
    const LOGS = { resource: 'log', action: 'list' } as const;
    const grouped = userNamed('alice', { groupIds: [11] });
    expect(await where(grouped, PUSH)).toEqual(['a', 'b']);
    expect(await where(grouped, LOGS)).toEqual(['a']);
    expect(await where(userNamed('carol'), LOGS)).toEqual([]);
    expect(await where(ANONYMOUS, PULL)).toEqual([]);
    const grants = [{ scope: { kind: 'project', project: 'b' }, permissions: [PUSH] }] as const;
    expect(await where({ kind: 'robot', id: 1, name: 'r', grants }, PUSH)).toEqual(['b']);
    expect(await members.administersProject(alice)).toBe(true);
    expect(await members.administersProject(userNamed('carol', { groupIds: [11] }))).toBe(false);
  });

  it('allowlists hold until they expire, and a project may reuse the system’s', async () => {
    await using database = await open();
    const { projects, allowlists, pass } = testWorld(database);
    const project = await projects.create({ name: 'team' }, alice);
    await allowlists.setSystem({ cveIds: ['CVE-9'], expiresAtS: undefined });
    await allowlists.set(database.db, project.id, { cveIds: ['CVE-1', ' CVE-2 '], expiresAtS: 1_700_000_010 });
    expect(await allowlists.inForce(project)).toEqual(new Set(['CVE-1', 'CVE-2']));
    pass(10_000);
    expect(await allowlists.inForce(project)).toEqual(new Set());
    const reusing = await projects.setMetadata(project.id, { reuse_sys_cve_allowlist: 'true' });
    expect(await allowlists.inForce(reusing)).toEqual(new Set(['CVE-9']));
    await expect(allowlists.setSystem({ cveIds: ['CVE-1', 'CVE-1'], expiresAtS: undefined })).rejects.toThrow(
      'duplicate',
    );
  });
};
