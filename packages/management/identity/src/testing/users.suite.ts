import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { IdentityServer } from './identity-server.ts';

/** The behaviour of users over HTTP. */
export function usersSuite(open: OpenTemporaryDatabase): void {
  let server: IdentityServer;
  beforeEach(async () => {
    server = await IdentityServer.start(open);
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  describe('the first administrator', () => {
    it('has a random password that is given once', async () => {
      expect(server.adminPassword).toMatch(/^\w{20}$/);
      expect(await server.identity.localUsers.ensureAdministrator()).toBeUndefined();
      expect((await server.ask('GET', '/users/current', { as: server.admin })).body).toMatchObject({
        user_id: 1,
        username: 'admin',
        sysadmin_flag: true,
        admin_role_in_auth: false,
      });
    });

    it('gets a new password by reset, and the old one no longer works', async () => {
      const { name, password } = await server.identity.localUsers.resetPassword('ADMIN');
      expect(name).toBe('admin');
      expect((await server.ask('GET', '/users/current', { as: server.admin })).status).toBe(401);
      expect((await server.ask('GET', '/users/current', { as: `admin:${password}` })).status).toBe(200);
    });

    it('cannot be removed, nor give up being administrator, while the only one', async () => {
      expect((await server.ask('DELETE', '/users/1', { as: server.admin })).status).toBe(403);
      const body = { sysadmin_flag: false };
      expect((await server.ask('PUT', '/users/1/sysadmin', { as: server.admin, body })).status).toBe(403);
      const id = await server.addUser('ada');
      await server.ask('PUT', `/users/${id}/sysadmin`, { as: server.admin, body: { sysadmin_flag: true } });
      expect((await server.ask('PUT', '/users/1/sysadmin', { as: server.admin, body })).status).toBe(200);
    });
  });

  describe('POST /users', () => {
    const ada = {
      username: 'ada',
      password: 'Secret123',
      email: 'ada@example.com',
      realname: 'Ada Lovelace',
      comment: 'first',
    };

    it('makes a user and says where it is', async () => {
      const made = await server.ask('POST', '/users', { as: server.admin, body: ada });
      expect([made.status, made.body, made.headers.get('location')]).toEqual([201, undefined, '/api/v2.0/users/2']);
      const read = await server.ask('GET', '/users/2', { as: 'ada:Secret123' });
      expect(read.body).toEqual({
        user_id: 2,
        username: 'ada',
        email: 'ada@example.com',
        realname: 'Ada Lovelace',
        comment: 'first',
        sysadmin_flag: false,
        admin_role_in_auth: false,
        creation_time: '2026-11-22T10:00:00.000Z',
        update_time: '2026-11-22T10:00:00.000Z',
      });
      await expect
        .poll(() => server.audited.at(-1))
        .toMatchObject({
          operation: 'create',
          resourceType: 'user',
          resource: 'ada',
          succeeded: true,
        });
    });

    it.each([
      [{ password: 'short1A' }, 'the password or secret must be 8-128'],
      [{ password: 'nouppercase1' }, 'the password or secret must be 8-128'],
      [{ username: '' }, 'username with illegal length'],
      [{ username: 'a$b' }, 'username contains illegal characters'],
      [{ username: 'robot-x' }, "username must not begin as a robot's name does"],
      [{ email: '' }, "email can't be empty"],
      [{ email: 'nobody' }, 'email with illegal format'],
      [{ realname: '' }, 'realname with illegal length'],
      [{ realname: 'a~b' }, 'realname contains illegal characters'],
      [{ comment: 'x'.repeat(31) }, 'comment with illegal length'],
    ])('refuses %o', async (change, message) => {
      const answer = await server.ask('POST', '/users', { as: server.admin, body: { ...ada, ...change } });
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain(message);
    });

    it('refuses a name that differs from another by case only', async () => {
      await server.ask('POST', '/users', { as: server.admin, body: ada });
      const again = await server.ask('POST', '/users', { as: server.admin, body: { ...ada, username: 'ADA' } });
      expect(again.status).toBe(409);
    });

    it('is for administrators, unless everybody may register', async () => {
      expect((await server.ask('POST', '/users', { body: ada })).status).toBe(401);
      await server.addUser('bob');
      expect((await server.ask('POST', '/users', { as: 'bob:Secret123', body: ada })).status).toBe(403);
      server.settings['self_registration'] = true;
      expect((await server.ask('POST', '/users', { body: ada })).status).toBe(201);
    });

    it('slows down who registers too often', async () => {
      server.settings['self_registration'] = true;
      const statuses = [];
      for (let n = 0; n < 11; n++) {
        const body = { ...ada, username: `user${n}`, email: `u${n}@example.com` };
        statuses.push((await server.ask('POST', '/users', { body })).status);
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 201), 429]);
    });

    it('is refused where people come from a directory', async () => {
      server.settings['auth_mode'] = 'ldap_auth';
      const answer = await server.ask('POST', '/users', { as: server.admin, body: ada });
      expect(answer.status).toBe(403);
      expect(JSON.stringify(answer.body)).toContain('creating local user is not allowed under auth mode: ldap_auth');
    });
  });

  describe('lists', () => {
    it('are filtered, sorted, paged, and for administrators', async () => {
      for (const name of ['carol', 'bob', 'alice']) await server.addUser(name);
      const query = encodeURIComponent('username=~o');
      const answer = await server.ask('GET', `/users?q=${query}&sort=-username&page_size=1`, { as: server.admin });
      expect(answer.headers.get('x-total-count')).toBe('2');
      expect(answer.body).toMatchObject([{ username: 'carol' }]);
      expect((await server.ask('GET', '/users', { as: 'bob:Secret123' })).status).toBe(403);
      expect((await server.ask('GET', '/users?username=lic', { as: server.admin })).body).toMatchObject([
        { username: 'alice' },
      ]);
    });

    it('give names only to others', async () => {
      const id = await server.addUser('bob');
      const answer = await server.ask('GET', '/users/search?username=bo', { as: 'bob:Secret123' });
      expect(answer.body).toEqual([{ user_id: id, username: 'bob' }]);
      expect((await server.ask('GET', '/users/search', { as: 'bob:Secret123' })).status).toBe(400);
    });
  });

  describe('a user', () => {
    it('reads and changes its own profile, and nobody else does', async () => {
      const bob = await server.addUser('bob');
      const ada = await server.addUser('ada');
      const body = { email: 'new@example.com', realname: 'Bob', comment: '' };
      expect((await server.ask('PUT', `/users/${bob}`, { as: 'bob:Secret123', body })).status).toBe(200);
      expect((await server.ask('GET', `/users/${bob}`, { as: server.admin })).body).toMatchObject({
        email: 'new@example.com',
      });
      expect((await server.ask('GET', `/users/${ada}`, { as: 'bob:Secret123' })).status).toBe(403);
      expect((await server.ask('PUT', `/users/${ada}`, { as: 'bob:Secret123', body })).status).toBe(403);
      expect((await server.ask('GET', '/users/99', { as: server.admin })).status).toBe(404);
    });

    it('is gone with its tokens and sessions when removed, and its id is not used again', async () => {
      const bob = await server.addUser('bob');
      const login = await server.ask('POST', '/session', { body: { username: 'bob', password: 'Secret123' } });
      const token = await server.ask('POST', `/users/${bob}/tokens`, { as: 'bob:Secret123', body: { name: 'ci' } });
      expect((await server.ask('DELETE', `/users/${bob}`, { as: server.admin })).status).toBe(200);
      expect((await server.ask('GET', '/users/current', { bearer: token.field('token') })).status).toBe(401);
      const cookie = `vic-session=${login.cookies.get('vic-session')}`;
      expect((await server.ask('GET', '/users/current', { cookie })).status).toBe(401);
      expect((await server.ask('GET', '/users/current', { as: 'bob:Secret123' })).status).toBe(401);
      expect(await server.addUser('bob')).toBeGreaterThan(bob);
    });
  });

  describe('a password', () => {
    it('is changed with the old one, which stops working at once', async () => {
      const bob = await server.addUser('bob');
      const as = 'bob:Secret123';
      expect((await server.ask('GET', '/users/current', { as })).status).toBe(200);
      const change = async (oldPassword: string, newPassword: string, who = as) =>
        server.ask('PUT', `/users/${bob}/password`, {
          as: who,
          body: { old_password: oldPassword, new_password: newPassword },
        });
      const wrong = await change('Wrong1234', 'Better456');
      expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([
        403,
        expect.stringContaining('Current password is incorrect'),
      ]);
      expect((await change('Secret123', 'weak')).status).toBe(400);
      const same = await change('Secret123', 'Secret123');
      expect([same.status, JSON.stringify(same.body)]).toEqual([
        400,
        expect.stringContaining('New password is identical to old password'),
      ]);
      expect((await change('Secret123', 'Better456')).status).toBe(200);
      expect((await server.ask('GET', '/users/current', { as })).status).toBe(401);
      expect((await server.ask('GET', '/users/current', { as: 'bob:Better456' })).status).toBe(200);
    });

    it('is set by an administrator without the old one, and ends the sessions', async () => {
      const bob = await server.addUser('bob');
      const login = await server.ask('POST', '/session', { body: { username: 'bob', password: 'Secret123' } });
      const body = { new_password: 'Better456' };
      expect((await server.ask('PUT', `/users/${bob}/password`, { as: server.admin, body })).status).toBe(200);
      const cookie = `vic-session=${login.cookies.get('vic-session')}`;
      expect((await server.ask('GET', '/users/current', { cookie })).status).toBe(401);
    });
  });

  describe('GET /users/current/permissions', () => {
    it('says what the role in the project allows', async () => {
      const bob = await server.addUser('bob');
      server.setRole(bob, 7, 'limitedGuest');
      const path = '/users/current/permissions?scope=/project/7&relative=true';
      const { body } = await server.ask('GET', path, { as: 'bob:Secret123' });
      expect(body).toContainEqual({ resource: 'repository', action: 'pull' });
      expect(body).toContainEqual({ resource: '.', action: 'read' });
      expect(body).toHaveLength(14);
      const full = await server.ask('GET', '/users/current/permissions?scope=/project/7', { as: server.admin });
      expect(full.body).toContainEqual({ resource: '/project/7/robot', action: 'create' });
      expect((await server.ask('GET', '/users/current/permissions', { as: server.admin })).body).toEqual([]);
      const system = await server.ask('GET', '/users/current/permissions?scope=/system', { as: 'bob:Secret123' });
      expect(system.body).toEqual([]);
    });
  });

  it('tells robots and strangers that they are no user', async () => {
    expect((await server.ask('GET', '/users/current')).status).toBe(401);
    expect((await server.ask('GET', '/users/current', { as: 'nobody:Secret123' })).status).toBe(401);
    expect((await server.ask('GET', '/users/current', { headers: { authorization: 'Digest x' } })).status).toBe(401);
  });
}
