import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { type Answer, IdentityServer } from './identity-server.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The behaviour of browsers' sessions and of personal access tokens over HTTP. */
export function sessionsSuite(open: OpenTemporaryDatabase): void {
  let server: IdentityServer;
  beforeEach(async () => {
    server = await IdentityServer.start(open);
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  const signIn = async (username: string, password: string): Promise<Answer> =>
    server.ask('POST', '/session', { body: { username, password } });
  const cookieOf = (answer: Answer): string => `vic-session=${answer.cookies.get('vic-session')}`;
  const currentStatus = async (cookie: string): Promise<number> =>
    (await server.ask('GET', '/users/current', { cookie })).status;

  describe('a session', () => {
    it('begins with the password, in a cookie that scripts and other sites cannot use', async () => {
      const answer = await signIn('admin', server.adminPassword);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('set-cookie')).toMatch(/^vic-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body).toMatchObject({ user: { username: 'admin' }, csrf_token: expect.any(String) });
      expect(await currentStatus(cookieOf(answer))).toBe(200);
      const login = { operation: 'login', resource: 'admin', succeeded: true };
      await expect.poll(() => server.audited.at(-1)).toMatchObject(login);
    });

    it('changes things only with its CSRF token', async () => {
      const answer = await signIn('admin', server.adminPassword);
      const cookie = cookieOf(answer);
      const body = { email: 'a@example.com', realname: 'A', comment: '' };
      expect((await server.ask('PUT', '/users/1', { cookie, body })).status).toBe(403);
      expect((await server.ask('PUT', '/users/1', { cookie, body, csrf: 'x' })).status).toBe(403);
      const csrf = (await server.ask('GET', '/session', { cookie })).field('csrf_token');
      expect(csrf).toBe(answer.field('csrf_token'));
      expect((await server.ask('PUT', '/users/1', { cookie, body, csrf })).status).toBe(200);
    });

    it('ends when it is not used for the configured time', async () => {
      server.settings['session_timeout'] = 30;
      const cookie = cookieOf(await signIn('admin', server.adminPassword));
      server.nowMs += 20 * MINUTE_MS;
      expect(await currentStatus(cookie)).toBe(200);
      server.nowMs += 20 * MINUTE_MS;
      expect(await currentStatus(cookie)).toBe(200);
      server.nowMs += 31 * MINUTE_MS;
      expect(await currentStatus(cookie)).toBe(401);
    });

    it('ends after half a day however busy', async () => {
      const cookie = cookieOf(await signIn('admin', server.adminPassword));
      for (let n = 0; n < 23; n++) {
        server.nowMs += 30 * MINUTE_MS;
        expect(await currentStatus(cookie)).toBe(200);
      }
      server.nowMs += 31 * MINUTE_MS;
      expect(await currentStatus(cookie)).toBe(401);
    });

    it('ends when it is left', async () => {
      const answer = await signIn('admin', server.adminPassword);
      const cookie = cookieOf(answer);
      const left = await server.ask('DELETE', '/session', { cookie, csrf: answer.field('csrf_token') });
      expect([left.status, left.cookies.get('vic-session')]).toEqual([200, '']);
      expect(await currentStatus(cookie)).toBe(401);
      expect((await server.ask('GET', '/session', { cookie })).body).toEqual({
        auth_mode: 'db_auth',
        self_registration: false,
      });
    });

    it('survives a change of the own password, and others of the user do not', async () => {
      const bob = await server.addUser('bob');
      const first = await signIn('bob', 'Secret123');
      const second = await signIn('bob', 'Secret123');
      const changed = await server.ask('PUT', `/users/${bob}/password`, {
        cookie: cookieOf(first),
        csrf: first.field('csrf_token'),
        body: { old_password: 'Secret123', new_password: 'Better456' },
      });
      expect(changed.status).toBe(200);
      expect([await currentStatus(cookieOf(first)), await currentStatus(cookieOf(second))]).toEqual([200, 401]);
    });

    it('does not begin with a wrong password, a robot, or an access token', async () => {
      expect((await signIn('admin', 'Wrong1234')).status).toBe(401);
      expect((await signIn('nobody', 'Wrong1234')).status).toBe(401);
      const token = await server.ask('POST', '/users/1/tokens', { as: server.admin, body: { name: 'x' } });
      expect((await signIn('admin', token.field('token'))).status).toBe(401);
      expect((await server.ask('POST', '/session', { body: { username: 'admin' } })).status).toBe(400);
    });

    it('that ended leaves nothing in the database', async () => {
      await signIn('admin', server.adminPassword);
      server.nowMs += DAY_MS;
      await server.identity.prune();
      expect(await server.database.db.selectFrom('user_sessions').selectAll().execute()).toEqual([]);
    });
  });

  describe('an access token', () => {
    const makeToken = async (body: object, as = server.admin): Promise<Answer> =>
      server.ask('POST', '/users/1/tokens', { as, body });
    const pull = { kind: 'project', namespace: 'library', access: [{ resource: 'repository', action: 'pull' }] };

    it('signs in as its user, by Bearer and as the password', async () => {
      const made = await makeToken({ name: 'ci', duration: 30 });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({
        name: 'ci',
        permissions: null,
        expires_at: (server.nowMs + 30 * DAY_MS) / 1000,
        token: expect.stringMatching(/^vicpat_[\w-]{43}$/),
      });
      const token = made.field('token');
      expect((await server.ask('GET', '/users/current', { bearer: token })).field('username')).toBe('admin');
      expect((await server.ask('GET', '/users/current', { as: `admin:${token}` })).status).toBe(200);
      expect((await server.ask('GET', '/users/current', { as: `bob:${token}` })).status).toBe(401);
      expect((await server.ask('GET', '/users/current', { bearer: `${token}x` })).status).toBe(401);
    });

    it('is listed without itself, with its last use', async () => {
      const token = (await makeToken({ name: 'ci' })).field('token');
      await server.ask('GET', '/users/current', { bearer: token });
      const { body } = await server.ask('GET', '/users/1/tokens', { as: server.admin });
      expect(body).toMatchObject([
        { name: 'ci', hint: token.slice(0, 11), last_used_time: '2026-11-22T10:00:00.000Z' },
      ]);
      expect(JSON.stringify(body)).not.toContain(token);
      const rows = await server.database.db.selectFrom('access_tokens').selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain(token);
    });

    it('may at most what it was given, and cannot make itself more', async () => {
      const token = (await makeToken({ name: 'puller', permissions: [pull] })).field('token');
      const principal = await server.identity.verifyPassword('admin', token, '192.0.2.1');
      expect(principal).toMatchObject({
        systemAdministrator: true,
        grants: [{ scope: { kind: 'project', project: 'library' } }],
      });
      const bearer = token;
      expect((await server.ask('GET', '/users', { bearer })).status).toBe(403);
      expect((await server.ask('POST', '/users/1/tokens', { bearer, body: { name: 'more' } })).status).toBe(403);
      expect((await server.ask('PUT', '/users/1/sysadmin', { bearer, body: { sysadmin_flag: true } })).status).toBe(
        403,
      );
      const password = { old_password: server.adminPassword, new_password: 'Better456' };
      expect((await server.ask('PUT', '/users/1/password', { bearer, body: password })).status).toBe(403);
      const robot = { name: 'r', level: 'project', duration: 1, permissions: [pull] };
      expect((await server.ask('POST', '/robots', { bearer, body: robot })).status).toBe(403);
    });

    it('expires, and says so to its holder', async () => {
      const token = (await makeToken({ name: 'short', duration: 1 })).field('token');
      server.nowMs += DAY_MS;
      const answer = await server.ask('GET', '/users/current', { bearer: token });
      expect(answer.status).toBe(401);
      expect(JSON.stringify(answer.body)).toContain('access token short expired on 2026-11-23T10:00:00.000Z');
    });

    it('ends when it is deleted, by its user or an administrator', async () => {
      const bob = await server.addUser('bob');
      const as = 'bob:Secret123';
      const made = await server.ask('POST', `/users/${bob}/tokens`, { as, body: { name: 'ci' } });
      const path = `/users/${bob}/tokens/${made.field('id')}`;
      await server.addUser('eve');
      expect((await server.ask('DELETE', path, { as: 'eve:Secret123' })).status).toBe(403);
      expect((await server.ask('DELETE', path, { as: server.admin })).status).toBe(200);
      expect((await server.ask('GET', '/users/current', { bearer: made.field('token') })).status).toBe(401);
      expect((await server.ask('DELETE', path, { as })).status).toBe(404);
    });

    it('is made for oneself only, with a name of its own and a limited time', async () => {
      const bob = await server.addUser('bob');
      const path = `/users/${bob}/tokens`;
      expect((await server.ask('POST', path, { as: server.admin, body: { name: 'x' } })).status).toBe(403);
      expect((await makeToken({ name: 'x' })).status).toBe(201);
      expect((await makeToken({ name: 'x' })).status).toBe(409);
      expect((await makeToken({ name: 'y', duration: 366 })).status).toBe(400);
      expect((await makeToken({ name: 'y', permissions: [{ ...pull, namespace: 'nowhere' }] })).status).toBe(404);
      expect((await makeToken({ name: 'y', permissions: [{ ...pull, access: [] }] })).status).toBe(400);
    });
  });
}
