import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { alice, ask, bearer, repository } from './token-requests.ts';
import { basic, tokenWorld } from './token-world.ts';

/** What `/v2` promises to those who come with tokens and with credentials. */
export const accessSuite: DialectSuite = (open) => {
  describe('/v2', () => {
    const REALM = 'Bearer realm="https://alias:8443/service/token",service="harbor-registry"';

    it('sends clients without credentials to the token service, by the name they know', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await world.projects.create({ name: 'open', metadata: { public: 'true' } }, alice);
      expect(await ask(world, undefined, [])).toBe(REALM);
      expect(await ask(world, undefined, [repository('open/a', 'pull')])).toBe(
        `${REALM},scope="repository:open/a:pull"`,
      );
      expect(await ask(world, undefined, [repository('open/a', 'push'), repository('b/c', 'pull')], 'POST')).toBe(
        `${REALM},scope="repository:open/a:pull,push repository:b/c:pull"`,
      );
      expect(await ask(world, undefined, [{ type: 'registry', name: 'catalog', actions: ['*'] }])).toBe(
        'Basic realm="harbor"',
      );
    });

    it('accepts credentials directly, and challenges in kind', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await world.projects.create({ name: 'team' }, alice);
      expect(await ask(world, basic('alice'), [])).toBe('alice');
      expect(await ask(world, basic('alice'), [repository('team/app', 'push')])).toBe('alice');
      expect(await ask(world, basic('bob'), [repository('team/app', 'pull')])).toBe('Basic realm="harbor"');
      expect(await ask(world, basic('alice', 'no'), [])).toBe('Basic realm="harbor"');
      expect(await ask(world, basic('robot$team+ci'), [repository('team/app', 'pull')])).toBe('robot$team+ci');
      expect(await ask(world, basic('robot$team+ci'), [repository('team/app', 'push')])).toBe('Basic realm="harbor"');
    });

    it('holds tokens to what they were made for', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await world.projects.create({ name: 'team' }, alice);
      const token = await bearer(world, 'alice', 'repository:team/app:pull');
      expect(await ask(world, token, [repository('team/app', 'pull', 'push')])).toBe('alice');
      expect(await ask(world, token, [repository('team/other', 'pull')])).toBe(
        `${REALM},scope="repository:team/other:pull",error="insufficient_scope"`,
      );
      const unsigned = token.slice(0, token.lastIndexOf('.') + 1);
      expect(await ask(world, `${unsigned}${'A'.repeat(86)}`, [])).toBe(`${REALM},error="invalid_token"`);
      expect(await ask(world, 'Bearer a.b.c', [])).toBe(`${REALM},error="invalid_token"`);
      world.pass(30 * 60 * 1000 + 31_000);
      expect(await ask(world, token, [])).toBe(`${REALM},error="invalid_token"`);
    });

    it('refuses tokens whose ground has gone since: project private, member removed, robot disabled', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      const { id } = await world.projects.create({ name: 'team', metadata: { public: 'true' } }, alice);
      const wanted = [repository('team/app', 'pull')];
      const anonymous = await bearer(world, undefined, 'repository:team/app:pull');
      const robot = await bearer(world, 'robot$team+ci', 'repository:team/app:pull');
      const member = await bearer(world, 'alice', 'repository:team/app:pull');
      expect(await ask(world, anonymous, wanted)).toBe('anonymous');
      await world.projects.setMetadata(id, { public: 'false' });
      expect(await ask(world, anonymous, wanted)).toContain('insufficient_scope');
      expect(await ask(world, robot, wanted)).toBe('robot$team+ci');
      world.identity.disabled.add('robot$team+ci');
      world.pass(1_000);
      expect(await ask(world, robot, wanted)).toContain('invalid_token');
      expect(await ask(world, member, wanted)).toBe('alice');
      const [membership] = await database.db.selectFrom('project_members').select('id').execute();
      await world.members.remove(id, membership?.id ?? 0);
      expect(await ask(world, member, wanted)).toContain('insufficient_scope');
    });

    it('tells only administrators that a project is not there', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      const wanted = [repository('none/app', 'push')];
      expect(await ask(world, basic('admin'), wanted)).toBe('admin');
      expect(await ask(world, basic('alice'), wanted)).toBe('Basic realm="harbor"');
      expect(await ask(world, basic('admin'), [repository('single', 'push')])).toBe('admin');
    });

    it('answers later whether more is allowed, and what the catalog shows', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      const team = await world.projects.create({ name: 'team' }, alice);
      await world.projects.create({ name: 'other' }, { ...alice, id: 3, name: 'bob' });
      const access = await world.registry.authorize({
        method: 'POST',
        authorization: basic('alice'),
        host: undefined,
        address: '::1',
        wanted: [repository('team/app', 'push')],
        useful: [repository('other/app', 'pull')],
      });
      expect(access.project).toMatchObject({ id: team.id });
      expect(await access.allows(repository('team/base', 'pull'))).toBe(true);
      expect(await access.allows(repository('other/app', 'pull'))).toBe(false);
      expect(await access.visibleProjects()).toEqual([team.id]);
    });

    it('asks for the source of a mount in the challenge', async () => {
      await using database = await open();
      const { registry } = tokenWorld(database);
      const asked = registry.authorize({
        method: 'POST',
        authorization: undefined,
        host: 'bad host"',
        address: '::1',
        wanted: [repository('team/app', 'push')],
        useful: [repository('team/base', 'pull')],
      });
      await expect(asked).rejects.toMatchObject({
        challenge:
          'Bearer realm="https://registry.example:8443/service/token",service="harbor-registry",scope="repository:team/app:pull,push repository:team/base:pull"',
      });
    });
  });

  it('a token that does not cover the source of a mount is asked to, when its owner may pull there', async () => {
    await using database = await open();
    const world = tokenWorld(database);
    await world.projects.create({ name: 'team' }, alice);
    await world.projects.create({ name: 'other' }, { ...alice, id: 3, name: 'bob' });
    const token = await bearer(world, 'alice', 'repository:team/app:pull,push');
    const mountFrom = async (name: string): Promise<unknown> =>
      world.registry.authorize({
        ...{ method: 'POST', authorization: token, host: undefined, address: '::1' },
        ...{ wanted: [repository('team/app', 'push')], useful: [repository(name, 'pull')] },
      });
    await expect(mountFrom('team/base')).rejects.toMatchObject({
      challenge: expect.stringContaining('repository:team/base:pull') as string,
    });
    // Where its owner may not pull either, the blob is uploaded instead.
    await expect(mountFrom('other/app')).resolves.toBeDefined();
    // A mount that names no source finds what its owner may pull in the project that is pushed to, nothing else.
    const access = await world.registry.authorize({
      ...{ method: 'POST', authorization: token, host: undefined, address: '::1' },
      wanted: [repository('team/app', 'pull', 'push')],
    });
    expect(await access.allows(repository('team/base', 'pull'))).toBe(true);
    expect(await access.allows(repository('team/base', 'push'))).toBe(false);
    expect(await access.allows(repository('other/app', 'pull'))).toBe(false);
  });
};
