import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { type Answer, IdentityServer } from './identity-server.ts';

const DAY_MS = 24 * 60 * 60_000;

/** The behaviour of robots over HTTP. */
export function robotsSuite(open: OpenTemporaryDatabase): void {
  let server: IdentityServer;
  beforeEach(async () => {
    server = await IdentityServer.start(open);
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  const pull = { resource: 'repository', action: 'pull' } as const;
  const library = (...access: { resource: string; action: string }[]) => ({
    kind: 'project',
    namespace: 'library',
    access,
  });
  const ci = { name: 'ci', level: 'project', duration: 30, permissions: [library(pull)] };
  const make = async (body: unknown, as = server.admin): Promise<Answer> => server.ask('POST', '/robots', { as, body });
  const login = async (name: string, secret: string) => server.identity.verifyPassword(name, secret, '192.0.2.9');

  describe('POST /robots', () => {
    it('makes a robot of a project, whose secret is given once', async () => {
      const made = await make(ci);
      expect(made.status).toBe(201);
      expect(made.headers.get('location')).toBe(`/api/v2.0/robots/${made.field('id')}`);
      expect(made.body).toMatchObject({
        name: 'robot-library+ci',
        secret: expect.stringMatching(/^\w{32}$/),
        expires_at: (server.nowMs + 30 * DAY_MS) / 1000,
      });
      const read = await server.ask('GET', `/robots/${made.field('id')}`, { as: server.admin });
      expect(read.body).toMatchObject({
        name: 'robot-library+ci',
        level: 'project',
        duration: 30,
        editable: true,
        disable: false,
        creator_type: 'local',
        creator_ref: 1,
        permissions: [{ kind: 'project', namespace: 'library', access: [{ ...pull, effect: 'allow' }] }],
      });
      expect(JSON.stringify(read.body)).not.toContain(made.field('secret'));
      await expect
        .poll(() => server.audited.find(({ operation }) => operation === 'create'))
        .toMatchObject({
          resourceType: 'robot',
          resource: 'robot-library+ci',
          project: { name: 'library' },
        });
    });

    it('gives what it was asked for, under either prefix', async () => {
      const secret = (await make(ci)).field('secret');
      const principal = await login('robot-library+ci', secret);
      expect(principal).toMatchObject({
        kind: 'robot',
        name: 'robot-library+ci',
        grants: [{ scope: { kind: 'project', project: 'library' }, permissions: [pull] }],
      });
      expect(await login('robot$library+ci', secret)).toEqual(principal);
      server.settings['robot_name_prefix'] = 'bot_';
      expect(await login('bot_library+ci', secret)).toMatchObject({ name: 'bot_library+ci' });
      await expect(login('robot-library+ci', secret)).rejects.toMatchObject({ class: 'Unauthenticated' });
    });

    it.each([
      [{ name: 'a+b' }, 400, 'robot name is not in lower case or contains illegal characters'],
      [{ duration: 0 }, 400, 'duration must be either -1(Never) or a positive integer'],
      [{ duration: -2 }, 400, 'bad request error duration input: -2'],
      [{ level: 'world' }, 400, 'bad request error level input: world'],
      [{ permissions: [] }, 400, 'bad request empty permission'],
      [{ permissions: [library()] }, 400, 'bad request empty access'],
      [{ permissions: [library(pull), library(pull)] }, 400, 'bad request permission'],
      [{ permissions: [library({ resource: 'configuration', action: 'update' })] }, 400, 'configuration:update'],
      [{ permissions: [library({ resource: 'repository', action: 'scanner-pull' })] }, 400, 'scanner-pull'],
      [{ permissions: [{ ...library(pull), namespace: '*' }] }, 400, 'bad request permission'],
      [
        { permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] },
        400,
        '',
      ],
      [{ permissions: [{ ...library(pull), kind: 'planet' }] }, 400, 'bad request permission level: planet'],
      [{ permissions: [{ ...library(pull), namespace: 'nowhere' }] }, 404, 'project nowhere not found'],
      [{ permissions: [library({ ...pull, effect: 'deny' } as typeof pull)] }, 400, 'effect: deny'],
    ])('refuses %o', async (change, status, message) => {
      const answer = await make({ ...ci, ...change });
      expect(answer.status).toBe(status);
      expect(JSON.stringify(answer.body)).toContain(message);
    });

    it('refuses a name that is taken in the project, and not one that is taken elsewhere', async () => {
      server.projects.push({ id: 8, name: 'other', public: false });
      expect((await make(ci)).status).toBe(201);
      expect((await make(ci)).status).toBe(409);
      expect((await make({ ...ci, permissions: [{ ...library(pull), namespace: 'other' }] })).status).toBe(201);
    });

    it('takes a secret that the client chose', async () => {
      const made = await make({ ...ci, secret: 'Chosen1234' });
      expect(made.field('secret')).toBe('Chosen1234');
      expect((await login('robot-library+ci', 'Chosen1234')).kind).toBe('robot');
      expect((await make({ ...ci, name: 'weak', secret: 'weak' })).status).toBe(400);
    });

    it('uses the configured duration when none is given', async () => {
      server.settings['robot_token_duration'] = 5;
      const { duration: _, ...open } = ci;
      expect((await make(open)).body).toMatchObject({ expires_at: (server.nowMs + 5 * DAY_MS) / 1000 });
    });
  });

  describe('who may make robots', () => {
    it('is an administrator of the project, for that project', async () => {
      server.projects.push({ id: 8, name: 'other', public: true });
      const id = await server.addUser('ada');
      server.setRole(id, 7, 'projectAdmin');
      expect((await make(ci, 'ada:Secret123')).status).toBe(201);
      const other = { ...ci, permissions: [{ ...library(pull), namespace: 'other' }] };
      expect((await make(other, 'ada:Secret123')).status).toBe(403);
      expect((await make({ ...ci, level: 'system' }, 'ada:Secret123')).status).toBe(403);
      server.setRole(id, 7, 'maintainer');
      expect((await make({ ...ci, name: 'second' }, 'ada:Secret123')).status).toBe(403);
      expect((await server.ask('POST', '/robots', { body: ci })).status).toBe(401);
    });

    it('is a robot, within what it may itself', async () => {
      const maker = await make({
        name: 'maker',
        level: 'system',
        duration: -1,
        permissions: [{ kind: 'project', namespace: '*', access: [pull, { resource: 'robot', action: 'create' }] }],
      });
      const as = `robot-maker:${maker.field('secret')}`;
      expect((await make(ci, as)).status).toBe(201);
      const push = await make({ ...ci, name: 'pusher', permissions: [library({ ...pull, action: 'push' })] }, as);
      expect([push.status, JSON.stringify(push.body)]).toEqual([
        403,
        expect.stringContaining("equal to or more restrictive than the creator robot's permissions"),
      ]);
      expect(push.body).toMatchObject({ errors: [{ code: 'DENIED' }] });
    });
  });

  describe('the time of a robot', () => {
    it('ends with a message for those only who know the secret', async () => {
      const secret = (await make(ci)).field('secret');
      server.nowMs += 30 * DAY_MS;
      await expect(login('robot-library+ci', secret)).rejects.toMatchObject({
        class: 'Unauthenticated',
        message: 'unauthorized: robot account robot-library+ci expired on 2026-12-22T10:00:00.000Z',
      });
      await expect(login('robot-library+ci', 'Wrong1234')).rejects.toMatchObject({
        message: expect.not.stringContaining('expired'),
      });
    });

    it('is counted from its making when it is changed', async () => {
      const made = await make(ci);
      const path = `/robots/${made.field('id')}`;
      server.nowMs += DAY_MS;
      const body = { ...ci, name: 'robot-library+ci', duration: 2, description: 'new', disable: false };
      expect((await server.ask('PUT', path, { as: server.admin, body })).status).toBe(200);
      expect((await server.ask('GET', path, { as: server.admin })).body).toMatchObject({
        duration: 2,
        description: 'new',
        expires_at: (server.nowMs + DAY_MS) / 1000,
      });
      await server.ask('PUT', path, { as: server.admin, body: { ...body, duration: -1 } });
      expect((await server.ask('GET', path, { as: server.admin })).body).toMatchObject({ expires_at: -1 });
    });
  });

  describe('a robot', () => {
    it('cannot sign in while disabled', async () => {
      const made = await make(ci);
      const body = { ...ci, name: 'robot-library+ci', disable: true };
      const changed = await server.ask('PUT', `/robots/${made.field('id')}`, { as: server.admin, body });
      expect(changed.status).toBe(200);
      await expect(login('robot-library+ci', made.field('secret'))).rejects.toMatchObject({
        message: 'unauthorized: robot account robot-library+ci is disabled',
      });
    });

    it('keeps name, level and project', async () => {
      server.projects.push({ id: 8, name: 'other', public: false });
      const path = `/robots/${(await make(ci)).field('id')}`;
      const same = { ...ci, name: 'robot-library+ci' };
      const change = async (body: object) => (await server.ask('PUT', path, { as: server.admin, body })).status;
      expect(await change(same)).toBe(200);
      expect(await change({ ...same, name: 'robot-library+renamed' })).toBe(400);
      expect(await change({ ...same, level: 'system' })).toBe(400);
      expect(await change({ ...same, permissions: [{ ...library(pull), namespace: 'other' }] })).toBe(400);
    });

    it('gets another secret, random or chosen', async () => {
      const made = await make(ci);
      const path = `/robots/${made.field('id')}`;
      const random = await server.ask('PATCH', path, { as: server.admin, body: {} });
      await expect(login('robot-library+ci', made.field('secret'))).rejects.toMatchObject({ class: 'Unauthenticated' });
      expect((await login('robot-library+ci', random.field('secret'))).kind).toBe('robot');
      const chosen = await server.ask('PATCH', path, { as: server.admin, body: { secret: 'Chosen1234' } });
      expect(chosen.body).toEqual({ secret: '' });
      expect((await login('robot-library+ci', 'Chosen1234')).kind).toBe('robot');
      const weak = await server.ask('PATCH', path, { as: server.admin, body: { secret: 'weak' } });
      expect(weak.status).toBe(400);
    });

    it('may nothing in another project that takes the name of a removed one', async () => {
      const made = await make({ ...ci, level: 'system' });
      server.projects[0] = { id: 9, name: 'library', public: false };
      expect(await login('robot-ci', made.field('secret'))).toMatchObject({ grants: [] });
    });

    it('goes with its project', async () => {
      const made = await make(ci);
      await server.database.transaction(async (transaction) => server.identity.projectDeleted(transaction, 7));
      expect((await server.ask('GET', `/robots/${made.field('id')}`, { as: server.admin })).status).toBe(404);
    });

    it('is renewed for tokens only as long as it may be used', async () => {
      const made = await make(ci);
      const principal = await login('robot-library+ci', made.field('secret'));
      expect(await server.identity.renewPrincipal(principal)).toEqual(principal);
      server.nowMs += 31 * DAY_MS;
      expect(await server.identity.renewPrincipal(principal)).toBeUndefined();
    });
  });

  describe('lists', () => {
    it('are of the system, or of one project', async () => {
      await make(ci);
      await make({ ...ci, name: 'everywhere', level: 'system' });
      const names = async (query: string, as = server.admin) =>
        ((await server.ask('GET', `/robots${query}`, { as })).body as { name: string }[]).map(({ name }) => name);
      expect(await names('')).toEqual(['robot-everywhere']);
      expect(await names(`?q=${encodeURIComponent('Level=project,ProjectID=7')}`)).toEqual(['robot-library+ci']);
      expect(await names(`?q=${encodeURIComponent('Level=project,ProjectID=7,name=~x')}`)).toEqual([]);
      const bad = await server.ask('GET', '/robots?q=Level%3Dproject', { as: server.admin });
      expect([bad.status, JSON.stringify(bad.body)]).toEqual([
        400,
        expect.stringContaining('must with project ID when to query project robots'),
      ]);
    });

    it('of a project are for its members', async () => {
      await make(ci);
      const id = await server.addUser('gus');
      const path = `/robots?q=${encodeURIComponent('Level=project,ProjectID=7')}`;
      expect((await server.ask('GET', path, { as: 'gus:Secret123' })).status).toBe(403);
      server.setRole(id, 7, 'guest');
      expect((await server.ask('GET', path, { as: 'gus:Secret123' })).status).toBe(200);
      expect((await server.ask('GET', '/robots', { as: 'gus:Secret123' })).status).toBe(403);
    });
  });

  describe('the old routes below projects', () => {
    it('make, list, disable and remove robots', async () => {
      const path = '/projects/library/robots';
      const made = await server.ask('POST', path, {
        as: server.admin,
        body: { name: 'old', access: [{ resource: '/project/7/repository', action: 'push' }] },
      });
      expect([made.status, made.field('name')]).toEqual([201, 'robot-library+old']);
      expect((await server.ask('GET', path, { as: server.admin })).body).toMatchObject([{ name: 'robot-library+old' }]);
      const one = `${path}/${made.field('id')}`;
      expect((await server.ask('PUT', one, { as: server.admin, body: { disable: true } })).status).toBe(200);
      expect((await server.ask('GET', one, { as: server.admin })).body).toMatchObject({ disable: true });
      server.projects.push({ id: 8, name: 'other', public: false });
      expect((await server.ask('DELETE', one.replace('library', 'other'), { as: server.admin })).status).toBe(404);
      expect((await server.ask('DELETE', one, { as: server.admin })).status).toBe(200);
      expect((await server.ask('GET', one, { as: server.admin })).status).toBe(404);
    });
  });

  describe('made by the product for a task', () => {
    const project = { id: 7, name: 'library', public: false };
    const scan = async () =>
      server.identity.robots.createInternal({
        purpose: 'scanner',
        project,
        permissions: [pull, { resource: 'repository', action: 'scanner-pull' }],
      });

    it('may what nobody can be given, and no list shows it', async () => {
      const { robot, secret } = await scan();
      expect(robot.fullName).toMatch(/^robot-library\+scanner-[a-z0-9]{16}$/);
      expect(await login(robot.fullName, secret)).toMatchObject({
        grants: [{ permissions: [pull, { resource: 'repository', action: 'scanner-pull' }] }],
      });
      const path = `/robots?q=${encodeURIComponent('Level=project,ProjectID=7')}`;
      expect((await server.ask('GET', path, { as: server.admin })).body).toEqual([]);
    });

    it('is gone after a day', async () => {
      const { robot, secret } = await scan();
      server.nowMs += DAY_MS;
      await expect(login(robot.fullName, secret)).rejects.toMatchObject({ class: 'Unauthenticated' });
      await server.identity.prune();
      expect(await server.identity.robotStore.find(robot.id)).toBeUndefined();
    });
  });

  it('holds at most what GET /permissions lists, which administrators see', async () => {
    const answer = await server.ask('GET', '/permissions', { as: server.admin });
    const { system, project } = answer.body as { system: unknown[]; project: unknown[] };
    const all = [
      { kind: 'system', namespace: '/', access: system },
      { kind: 'project', namespace: '*', access: project },
    ];
    expect((await make({ name: 'all', level: 'system', duration: -1, permissions: all })).status).toBe(201);
    const id = await server.addUser('ada');
    expect((await server.ask('GET', '/permissions', { as: 'ada:Secret123' })).status).toBe(403);
    server.setRole(id, 7, 'projectAdmin');
    expect((await server.ask('GET', '/permissions', { as: 'ada:Secret123' })).body).toEqual({ project });
  });

  it('that manages users does not rise above itself', async () => {
    const access = ['create', 'read', 'update', 'list', 'delete'].map((action) => ({ resource: 'user', action }));
    const permissions = [{ kind: 'system', namespace: '/', access }];
    const made = await make({ name: 'hr', level: 'system', duration: -1, permissions });
    const as = `robot-hr:${made.field('secret')}`;
    const id = await server.addUser('bob');
    expect((await server.ask('PUT', `/users/${id}/password`, { as, body: { new_password: 'Other123' } })).status).toBe(
      200,
    );
    expect((await server.ask('PUT', '/users/1/password', { as, body: { new_password: 'Other123' } })).status).toBe(403);
    expect((await server.ask('PUT', `/users/${id}/sysadmin`, { as, body: { sysadmin_flag: true } })).status).toBe(403);
    expect((await server.ask('DELETE', '/users/1', { as })).status).toBe(403);
    expect((await server.ask('DELETE', `/users/${id}`, { as })).status).toBe(200);
    expect((await server.ask('GET', '/users/current', { as })).status).toBe(412);
  });
}
