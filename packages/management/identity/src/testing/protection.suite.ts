import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { PasswordHasher } from '../credentials/password-hash.ts';
import { IdentityServer } from './identity-server.ts';

const HOME = '192.0.2.1';
const SECOND_MS = 1000;

/** The behaviour of the protection against guessing. */
export function protectionSuite(open: OpenTemporaryDatabase): void {
  let server: IdentityServer;
  beforeEach(async () => {
    server = await IdentityServer.start(open);
    await server.addUser('bob');
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  const outcome = async (name: string, secret: string, address = HOME): Promise<string> =>
    server.identity.verifyPassword(name, secret, address).then(
      () => 'in',
      (error: { code: string }) => error.code,
    );
  const fail = async (times: number, name: string, address = HOME): Promise<void> => {
    for (let n = 0; n < times; n++) {
      const code = await outcome(name, `Wrong${n}`, address);
      // A guesser who waits when told to.
      if (code === 'SIGN_IN_BLOCKED') server.nowMs += 16 * 60 * SECOND_MS;
    }
  };

  it('lets people mistype a few times', async () => {
    await fail(4, 'bob');
    expect(await outcome('bob', 'Secret123')).toBe('in');
    await fail(4, 'bob');
    expect(await outcome('bob', 'Secret123')).toBe('in');
  });

  it('makes an account wait after five failures from an address, longer each time', async () => {
    await fail(5, 'bob');
    expect(await outcome('bob', 'Secret123')).toBe('SIGN_IN_BLOCKED');
    server.nowMs += SECOND_MS;
    expect(await outcome('bob', 'Wrong')).toBe('CREDENTIALS_WRONG');
    server.nowMs += SECOND_MS;
    expect(await outcome('bob', 'Secret123')).toBe('SIGN_IN_BLOCKED');
    server.nowMs += SECOND_MS;
    expect(await outcome('bob', 'Secret123')).toBe('in');
  });

  it('treats accounts that do not exist the same', async () => {
    await fail(5, 'nobody');
    expect(await outcome('nobody', 'Secret123')).toBe('SIGN_IN_BLOCKED');
  });

  it('answers 429 with the time to wait', async () => {
    const body = { username: 'bob', password: 'Wrong1234' };
    for (let n = 0; n < 5; n++) expect((await server.ask('POST', '/session', { body })).status).toBe(401);
    const blocked = await server.ask('POST', '/session', { body });
    expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, '1']);
    expect(JSON.stringify(blocked.body)).toContain('Too many failed sign-ins. Try again in 1 s.');
  });

  it('is shared by processes that share the database', async () => {
    await fail(5, 'bob');
    await using other = server.anotherProcess();
    await expect(other.verifyPassword('BOB', 'Secret123', HOME)).rejects.toMatchObject({ code: 'SIGN_IN_BLOCKED' });
  });

  it('counts all guesses that are made at the same moment', async () => {
    const codes = await Promise.all(Array.from({ length: 30 }, async (_, n) => outcome('bob', `Guess${n}`)));
    expect(codes.filter((code) => code === 'CREDENTIALS_WRONG')).toHaveLength(5);
  });

  it('does not lock out the owner for what others do from elsewhere', async () => {
    expect(await outcome('bob', 'Secret123')).toBe('in');
    for (let n = 0; n < 40; n++) await outcome('bob', 'Wrong1234', `198.51.100.${n}`);
    expect(await outcome('bob', 'Secret123')).toBe('in');
    expect(await outcome('bob', 'Secret123', '203.0.113.5')).toBe('SIGN_IN_BLOCKED');
    server.nowMs += 60 * SECOND_MS;
    expect(await outcome('bob', 'Secret123', '203.0.113.5')).toBe('in');
  });

  it('slows down who tries many accounts, but not people who have signed in there before', async () => {
    expect(await outcome('bob', 'Secret123')).toBe('in');
    for (let n = 0; n < 100; n++) await outcome(`user${n}`, 'Wrong1234');
    expect(await outcome('another', 'Wrong1234')).toBe('SIGN_IN_BLOCKED');
    expect(await outcome('bob', 'Secret123')).toBe('in');
  });

  it('takes the addresses of one IPv6 network for one', async () => {
    for (let n = 0; n < 5; n++) await outcome('bob', 'Wrong1234', `2001:db8:1:2::${n}`);
    expect(await outcome('bob', 'Secret123', '2001:db8:1:2:ffff::1')).toBe('SIGN_IN_BLOCKED');
    expect(await outcome('bob', 'Secret123', '2001:db8:1:3::1')).toBe('in');
  });

  it('ends when an administrator sets a new password', async () => {
    await fail(6, 'bob');
    await server.identity.localUsers.resetPassword('bob').then(async ({ password }) => {
      expect(await outcome('bob', password)).toBe('in');
    });
  });

  it('is forgotten after an hour, and then leaves nothing in the database', async () => {
    await fail(5, 'bob');
    server.nowMs += 61 * 60 * SECOND_MS;
    await server.identity.prune();
    expect(await server.database.db.selectFrom('login_failures').selectAll().execute()).toEqual([]);
  });

  it('keeps no name that was typed in clear', async () => {
    await outcome('my-secret-password', 'x');
    const rows = await server.database.db.selectFrom('login_failures').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain('my-secret-password');
  });

  describe('a changed password', () => {
    it('ends what was remembered of the old one, in every process', async () => {
      expect(await outcome('bob', 'Secret123')).toBe('in');
      await using other = server.anotherProcess();
      const { password } = await other.localUsers.resetPassword('bob');
      expect(await outcome('bob', 'Secret123')).toBe('CREDENTIALS_WRONG');
      expect(await outcome('bob', password)).toBe('in');
    });
  });

  it('replaces a hash of another cost when the password is at hand', async () => {
    const former = new PasswordHasher({ memoryKiB: 16, passes: 2, parallelism: 1 });
    const bob = await server.identity.users.findByName('bob');
    await server.identity.users.setPasswordHash(bob?.id ?? 0, await former.hashChosen('Secret123'));
    expect(await outcome('bob', 'Secret123')).toBe('in');
    const secrets = await server.identity.users.secretsByName('bob');
    expect(secrets?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
    expect(await outcome('bob', 'Secret123')).toBe('in');
  });

  it.each([
    ['', 'Secret123'],
    ['bob', ''],
    ['b'.repeat(600), 'Secret123'],
    ['bob', 'x'.repeat(2000)],
  ])('refuses %j with %j without a look', async (name, secret) => {
    expect(await outcome(name, secret)).toBe('CREDENTIALS_WRONG');
  });
}
