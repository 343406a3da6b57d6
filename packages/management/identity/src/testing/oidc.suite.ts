import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OidcProvider } from '@vic/directory/testing';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { type Answer, IdentityServer } from './identity-server.ts';

/** The behaviour of signing in at an OIDC provider, as a browser sees it. */
export function oidcSuite(open: OpenTemporaryDatabase): void {
  let provider: OidcProvider;
  let server: IdentityServer;
  beforeAll(async () => {
    provider = await OidcProvider.start();
  });
  afterAll(async () => provider[Symbol.asyncDispose]());
  beforeEach(async () => {
    server = await IdentityServer.start(open);
    provider.before = async () => undefined;
    provider.claims = { sub: 's-1', name: 'Ada Lovelace', login: 'ada', email: 'ada@example.com', groups: ['devs'] };
    Object.assign(server.settings, {
      auth_mode: 'oidc_auth',
      oidc_name: 'Company',
      oidc_endpoint: provider.issuer,
      oidc_client_id: provider.clientId,
      oidc_client_secret: provider.clientSecret,
      oidc_scope: 'openid,profile,email',
      oidc_verify_cert: false,
      oidc_user_claim: 'login',
      oidc_groups_claim: 'groups',
      oidc_admin_group: 'admins',
      oidc_auto_onboard: true,
    });
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  const cookieOf = (answer: Answer, name: string): string => `${name}=${answer.cookies.get(name)}`;
  /** Goes to the provider and back; gives the answer to the return. */
  const journey = async (returnTo = '/harbor/projects'): Promise<Answer> => {
    const away = await server.ask('GET', `/oidc/login?redirect_url=${encodeURIComponent(returnTo)}`);
    const back = await provider.agree(new URL(away.headers.get('location') ?? ''));
    return server.ask('GET', `/oidc/callback${back.search}`, { cookie: cookieOf(away, 'vic-sign-in') });
  };
  const current = async (cookie: string): Promise<Answer> => server.ask('GET', '/users/current', { cookie });

  it('signs in, takes over user and groups, and returns to where the user wanted to go', async () => {
    const arrived = await journey();
    expect([arrived.status, arrived.headers.get('location')]).toEqual([302, '/harbor/projects']);
    const me = await current(cookieOf(arrived, 'vic-session'));
    expect(me.body).toMatchObject({
      username: 'ada',
      realname: 'Ada Lovelace',
      email: 'ada@example.com',
      sysadmin_flag: false,
      admin_role_in_auth: false,
      oidc_user_meta: { subiss: `s-1${provider.issuer}`, has_secret: false },
    });
    expect((await server.ask('GET', '/usergroups', { as: server.admin })).body).toMatchObject([
      { group_name: 'devs', group_type: 3 },
    ]);
    const login = () => server.audited.find(({ operation }) => operation === 'login');
    await expect.poll(login).toMatchObject({ resource: 'ada' });
  });

  it('knows the user again, whatever the name is now', async () => {
    await journey();
    provider.claims = { ...provider.claims, login: 'ada2', email: 'new@example.com', groups: ['admins'] };
    const me = await current(cookieOf(await journey(), 'vic-session'));
    expect(me.body).toMatchObject({ username: 'ada', email: 'new@example.com', admin_role_in_auth: true });
    expect((await server.ask('GET', '/users', { cookie: cookieOf(await journey(), 'vic-session') })).status).toBe(200);
  });

  it('ends a sign-in under way although the provider is asked anew what it is', async () => {
    const away = await server.ask('GET', '/oidc/login');
    const back = await provider.agree(new URL(away.headers.get('location') ?? ''));
    const asked = Promise.withResolvers<void>();
    const mayAnswer = Promise.withResolvers<void>();
    provider.before = async (path) => {
      if (path !== '/userinfo') return;
      asked.resolve();
      await mayAnswer.promise;
    };
    const arriving = server.ask('GET', `/oidc/callback${back.search}`, { cookie: cookieOf(away, 'vic-sign-in') });
    await asked.promise;
    server.nowMs += 61 * 60_000;
    expect((await server.ask('GET', '/oidc/login')).status).toBe(302);
    mayAnswer.resolve();
    expect((await arriving).status).toBe(302);
  });

  it('takes over the groups that match the filter only', async () => {
    server.settings['oidc_group_filter'] = '^team-';
    provider.claims = { ...provider.claims, groups: ['team-a', 'other'] };
    await journey();
    expect((await server.ask('GET', '/usergroups', { as: server.admin })).body).toMatchObject([
      { group_name: 'team-a' },
    ]);
  });

  it('asks for a name where names are not taken over', async () => {
    server.settings['oidc_auto_onboard'] = false;
    const asked = await journey();
    expect(asked.headers.get('location')).toBe('/oidc-onboard?username=ada&redirect_url=%2Fharbor%2Fprojects');
    const cookie = cookieOf(asked, 'vic-sign-in');
    const taken = await server.ask('POST', '/oidc/onboard', { cookie, body: { username: 'admin' } });
    expect(taken.status).toBe(409);
    const done = await server.ask('POST', '/oidc/onboard', { cookie, body: { username: 'lovelace' } });
    expect(done.body).toMatchObject({ user: { username: 'lovelace' }, redirect_url: '/harbor/projects' });
    expect((await current(cookieOf(done, 'vic-session'))).status).toBe(200);
    const again = await server.ask('POST', '/oidc/onboard', { cookie, body: { username: 'second' } });
    expect(again.status).toBe(400);
  });

  it('refuses a return without its cookie, with another, or for the second time', async () => {
    const away = await server.ask('GET', '/oidc/login');
    const back = await provider.agree(new URL(away.headers.get('location') ?? ''));
    const come = async (cookie?: string): Promise<number> =>
      (await server.ask('GET', `/oidc/callback${back.search}`, cookie === undefined ? {} : { cookie })).status;
    expect(await come()).toBe(400);
    expect(await come(cookieOf(await server.ask('GET', '/oidc/login'), 'vic-sign-in'))).toBe(400);
    expect(await come(cookieOf(away, 'vic-sign-in'))).toBe(302);
    expect(await come(cookieOf(away, 'vic-sign-in'))).toBe(400);
  });

  it('refuses a return that comes too late', async () => {
    const away = await server.ask('GET', '/oidc/login');
    const back = await provider.agree(new URL(away.headers.get('location') ?? ''));
    server.nowMs += 11 * 60_000;
    const late = await server.ask('GET', `/oidc/callback${back.search}`, { cookie: cookieOf(away, 'vic-sign-in') });
    expect(late.status).toBe(400);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/a\nb'])(
    'does not lead to %j',
    async (returnTo) => {
      const answer = await server.ask('GET', `/oidc/login?redirect_url=${encodeURIComponent(returnTo)}`);
      expect(answer.status).toBe(400);
    },
  );

  it('does not give the provider the account of a local user', async () => {
    provider.claims = { ...provider.claims, login: 'admin' };
    expect((await journey()).status).toBe(409);
  });

  it('keeps what it remembers encrypted', async () => {
    server.settings['oidc_auto_onboard'] = false;
    await journey();
    const rows = await server.database.db.selectFrom('sign_in_flows').selectAll().execute();
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(provider.claims.email);
  });

  it('leads to the end of the session at the provider when that is configured', async () => {
    const leave = async (): Promise<Answer> => {
      const cookie = cookieOf(await journey(), 'vic-session');
      const csrf = (await server.ask('GET', '/session', { cookie })).field('csrf_token');
      return server.ask('DELETE', '/session', { cookie, csrf });
    };
    expect((await leave()).body).toEqual({});
    server.settings['oidc_logout'] = true;
    expect((await leave()).field('logout_url')).toContain(`${provider.issuer}/logout?`);
  });

  describe('the CLI secret', () => {
    const signedIn = async (): Promise<{ cookie: string; csrf: string; path: string }> => {
      const cookie = cookieOf(await journey(), 'vic-session');
      const { body } = await server.ask('GET', '/session', { cookie });
      const { csrf_token: csrf, user } = body as { csrf_token: string; user: { user_id: number } };
      return { cookie, csrf, path: `/users/${user.user_id}/cli_secret` };
    };

    it('is drawn or chosen, and is what command lines sign in with', async () => {
      const { path, ...browser } = await signedIn();
      await expect(server.identity.verifyPassword('ada', 'Whatever1', '192.0.2.1')).rejects.toMatchObject({
        class: 'Unauthenticated',
      });
      const drawn = (await server.ask('PUT', path, { ...browser, body: {} })).field('secret');
      const principal = await server.identity.verifyPassword('ada', drawn, '192.0.2.1');
      expect(principal).toMatchObject({ kind: 'user', name: 'ada', groupIds: [expect.any(Number)] });
      expect((await server.ask('PUT', path, { ...browser, body: { secret: 'weak' } })).status).toBe(400);
      const chosen = await server.ask('PUT', path, { ...browser, body: { secret: 'Chosen123' } });
      expect([chosen.status, chosen.body]).toEqual([200, undefined]);
      await expect(server.identity.verifyPassword('ada', drawn, '192.0.2.1')).rejects.toMatchObject({
        class: 'Unauthenticated',
      });
      expect(await server.identity.verifyPassword('ada', 'Chosen123', '192.0.2.1')).toEqual(principal);
    });

    it('begins no session, and is for OIDC users only', async () => {
      const { path, ...browser } = await signedIn();
      await server.ask('PUT', path, { ...browser, body: { secret: 'Chosen123' } });
      const body = { username: 'ada', password: 'Chosen123' };
      expect((await server.ask('POST', '/session', { body })).status).toBe(401);
      expect((await server.ask('PUT', '/users/1/cli_secret', { as: server.admin, body: {} })).status).toBe(412);
      server.settings['auth_mode'] = 'db_auth';
      expect((await server.ask('PUT', path, { as: server.admin, body: {} })).status).toBe(412);
      await expect(server.identity.verifyPassword('ada', 'Chosen123', '192.0.2.1')).rejects.toMatchObject({
        class: 'Unauthenticated',
      });
    });
  });

  it('is offered by the state of the session, and local users still sign in', async () => {
    expect((await server.ask('GET', '/session')).body).toEqual({
      auth_mode: 'oidc_auth',
      self_registration: false,
      oidc_name: 'Company',
    });
    expect((await server.ask('GET', '/users/current', { as: server.admin })).status).toBe(200);
    server.settings['auth_mode'] = 'db_auth';
    expect((await server.ask('GET', '/oidc/login')).status).toBe(412);
  });

  it('is tried by POST /system/oidc/ping', async () => {
    const ping = async (body: object, as = server.admin): Promise<Answer> =>
      server.ask('POST', '/system/oidc/ping', { as, body });
    expect((await ping({ url: provider.issuer, verify_cert: false })).status).toBe(200);
    const failed = await ping({ url: `${provider.issuer}/none`, verify_cert: false });
    expect([failed.status, JSON.stringify(failed.body)]).toEqual([
      400,
      expect.stringContaining('failed to verify connection'),
    ]);
    await server.addUser('bob');
    expect((await ping({ url: provider.issuer }, 'bob:Secret123')).status).toBe(403);
  });
}
