import { ANONYMOUS, type UserPrincipal } from '@vic/authz';
import { AccessChallenge } from '@vic/distribution';
import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { restErrorResponse } from '@vic/rest';
import { type DialectSuite, interleaved } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { type SignIn, tokenRoutes } from '../index.ts';
import { SERVICE, alice, ask, bearer, repository } from './token-requests.ts';
import { PASSWORD, type TokenWorld, addUsers, basic, tokenWorld } from './token-world.ts';

const PERSONAL = 'pat';

interface TokenBody {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

/** Asks the token service over HTTP. */
async function tokenServer(world: TokenWorld): Promise<
  {
    get(query: string, authorization?: string): Promise<{ status: number; body: unknown }>;
    post(form: Readonly<Record<string, string>>): Promise<{ status: number; body: unknown }>;
    /** What the audit log was told. */
    readonly signIns: readonly SignIn[];
  } & AsyncDisposable
> {
  const server = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
  const signIns: SignIn[] = [];
  const recordSignIn = async (signIn: SignIn): Promise<void> => void signIns.push(signIn);
  tokenRoutes({ ...world, recordSignIn, isPersonalToken: (secret) => secret === PERSONAL })(server.app);
  return {
    signIns,
    get: async (query, authorization) => {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await server.app.inject({ url: `/service/token?${query}`, headers });
      return { status: response.statusCode, body: response.json() as unknown };
    },
    post: async (form) => {
      const response = await server.app.inject({
        method: 'POST',
        url: '/service/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(form).toString(),
      });
      return { status: response.statusCode, body: response.json() as unknown };
    },
    [Symbol.asyncDispose]: async () => server.close(),
  };
}

function accessIn(body: unknown): unknown {
  const [, payload = ''] = (body as TokenBody).token.split('.');
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { access: unknown }).access;
}

/** What tokens promise on every database. */
export const tokensSuite: DialectSuite = (open) => {
  describe('GET /service/token', () => {
    it('gives all that the caller may do, whatever is asked for', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await using server = await tokenServer(world);
      await world.projects.create({ name: 'team' }, alice);
      const shown = await server.get(`service=${SERVICE}&scope=repository:team/app:pull`, basic('alice'));
      expect(shown).toMatchObject({ status: 200, body: { expires_in: 1800 } });
      const { token, access_token: accessToken, issued_at: issuedAt } = shown.body as TokenBody;
      expect(accessToken).toBe(token);
      expect(issuedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(accessIn(shown.body)).toEqual([
        { type: 'repository', name: 'team/app', actions: ['pull', 'push', 'delete'] },
      ]);
    });

    it('reads scopes repeated and in one, and answers for each', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await using server = await tokenServer(world);
      await world.projects.create({ name: 'open', metadata: { public: 'true' } }, alice);
      const scopes =
        'scope=repository:open/a:pull%20repository:none/b:push,pull&scope=repository:single:pull&scope=strange:x:y';
      const shown = await server.get(`service=${SERVICE}&${scopes}`, basic('bob'));
      expect(accessIn(shown.body)).toEqual([
        { type: 'repository', name: 'open/a', actions: ['pull'] },
        { type: 'repository', name: 'none/b', actions: [] },
        { type: 'repository', name: 'single', actions: [] },
        { type: 'strange', name: 'x', actions: [] },
      ]);
    });

    it('gives the catalog to administrators', async () => {
      await using database = await open();
      await using server = await tokenServer(tokenWorld(database));
      const actionsOf = async (name: string): Promise<unknown> =>
        accessIn((await server.get(`service=${SERVICE}&scope=registry:catalog:*`, basic(name))).body);
      expect(await actionsOf('admin')).toEqual([{ type: 'registry', name: 'catalog', actions: ['*'] }]);
      expect(await actionsOf('alice')).toEqual([{ type: 'registry', name: 'catalog', actions: [] }]);
    });

    it('refuses wrong passwords always, and nobody only without a scope', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await using server = await tokenServer(world);
      await world.projects.create({ name: 'open', metadata: { public: 'true' } }, alice);
      const scope = `service=${SERVICE}&scope=repository:open/a:pull,push`;
      expect((await server.get(`service=${SERVICE}`)).status).toBe(401);
      expect((await server.get(`service=${SERVICE}`, basic('alice', 'no'))).status).toBe(401);
      expect((await server.get(scope, basic('alice', 'no'))).status).toBe(401);
      expect((await server.get(`service=${SERVICE}&account=alice`, basic('alice'))).status).toBe(200);
      const anonymous = await server.get(scope);
      expect(anonymous.status).toBe(200);
      expect(accessIn(anonymous.body)).toEqual([{ type: 'repository', name: 'open/a', actions: ['pull'] }]);
      // The audit log hears of failures and of logins, not of every token.
      expect(server.signIns.map(({ name, succeeded }) => [name, succeeded])).toEqual([
        ['alice', false],
        ['alice', false],
        ['alice', true],
      ]);
    });

    it('refuses services it does not serve', async () => {
      await using database = await open();
      await using server = await tokenServer(tokenWorld(database));
      expect(await server.get('service=other&scope=repository:a/b:pull')).toMatchObject({
        status: 400,
        body: { errors: [{ code: 'BAD_REQUEST', message: 'Unable to handle service: other' }] },
      });
      expect((await server.get('')).status).toBe(400);
    });

    it('passes scanners by the policies, and nobody else', async () => {
      await using database = await open();
      const world = tokenWorld(database);
      await using server = await tokenServer(world);
      await world.projects.create({ name: 'team' }, alice);
      const actionsOf = async (name: string): Promise<unknown> =>
        accessIn((await server.get(`service=${SERVICE}&scope=repository:team/app:pull`, basic(name))).body);
      expect(await actionsOf('robot$team+ci')).toMatchObject([{ actions: ['pull', 'scanner-pull'] }]);
      expect(await actionsOf('admin')).toMatchObject([{ actions: ['pull', 'push', 'delete'] }]);
    });
  });

  describe('identity tokens', () => {
    it('are given for a password and stand for it until it is changed', async () => {
      await using database = await open();
      await addUsers(database);
      const world = tokenWorld(database);
      await using server = await tokenServer(world);
      await world.projects.create({ name: 'team' }, alice);
      const login = { grant_type: 'password', service: SERVICE, username: 'alice', client_id: 'docker' };
      const first = await server.post({ ...login, password: PASSWORD, access_type: 'offline' });
      expect(first.status).toBe(200);
      const { refresh_token: refreshToken = '' } = first.body as TokenBody;
      const scope = 'repository:team/app:push';
      const refresh = { grant_type: 'refresh_token', service: SERVICE, refresh_token: refreshToken, scope };
      const second = await server.post(refresh);
      expect(second).toMatchObject({ status: 200, body: { refresh_token: refreshToken, scope } });
      expect(accessIn(second.body)).toMatchObject([{ actions: ['pull', 'push', 'delete'] }]);
      await database.db.updateTable('users').set({ password_hash: 'second' }).where('name', '=', 'alice').execute();
      expect((await server.post(refresh)).status).toBe(401);
    });

    it('end with the account, with time and when revoked', async () => {
      await using database = await open();
      await addUsers(database);
      const world = tokenWorld(database);
      const issue = async (): Promise<string> => (await world.refreshTokens.issue(alice, 'test')) ?? '';
      const [revoked] = [await issue()];
      expect(await world.refreshTokens.redeem(revoked)).toMatchObject({ name: 'alice' });
      await world.refreshTokens.revoke({ kind: 'user', id: 2 });
      await expect(world.refreshTokens.redeem(revoked)).rejects.toMatchObject({ class: 'Unauthenticated' });
      const disabled = await issue();
      world.identity.disabled.add('alice');
      await expect(world.refreshTokens.redeem(disabled)).rejects.toMatchObject({ class: 'Unauthenticated' });
      world.identity.disabled.clear();
      world.pass(91 * 24 * 60 * 60 * 1000);
      await expect(world.refreshTokens.redeem(disabled)).rejects.toMatchObject({ class: 'Unauthenticated' });
    });

    it('keep the limits of the credential they were made with', async () => {
      await using database = await open();
      await addUsers(database);
      const world = tokenWorld(database);
      const grants: UserPrincipal['grants'] = [
        { scope: { kind: 'project', project: 'x' }, permissions: [{ resource: 'repository', action: 'pull' }] },
      ];
      const token = await world.refreshTokens.issue({ ...alice, grants }, 'test');
      expect(await world.refreshTokens.redeem(token ?? '')).toMatchObject({ name: 'alice', grants });
    });

    it('come with docker login, but neither for nobody nor for a personal access token', async () => {
      await using database = await open();
      await addUsers(database);
      const world = tokenWorld(database);
      await using server = await tokenServer(world);
      const login = await server.get(`service=${SERVICE}&offline_token=true&client_id=docker`, basic('alice'));
      expect(login.body).toHaveProperty('refresh_token');
      world.identity.authenticate = async () => alice;
      const personal = await server.get(`service=${SERVICE}&offline_token=true`, basic('alice', PERSONAL));
      expect(personal.status).toBe(200);
      expect(personal.body).not.toHaveProperty('refresh_token');
      world.identity.authenticate = async () => ANONYMOUS;
      const pull = await server.get(`service=${SERVICE}&offline_token=true&scope=repository:a/b:pull`);
      expect(pull.body).not.toHaveProperty('refresh_token');
    });

    it('refuse requests that are not ones', async () => {
      await using database = await open();
      await using server = await tokenServer(tokenWorld(database));
      const base = { service: SERVICE, client_id: 'x' };
      expect((await server.post({ ...base, grant_type: 'magic' })).status).toBe(400);
      expect((await server.post({ ...base, grant_type: 'password', username: 'alice' })).status).toBe(400);
      expect((await server.post({ ...base, grant_type: 'refresh_token', refresh_token: 'no' })).status).toBe(401);
      const wrong = { ...base, grant_type: 'password', username: 'alice', password: 'no' };
      expect((await server.post(wrong)).status).toBe(401);
    });
  });

  describe('keys', () => {
    it('are shared by processes, rotated, and verify what they signed before', async () => {
      await using database = await open();
      const [here, there] = [tokenWorld(database), tokenWorld(database)];
      await here.projects.create({ name: 'team' }, alice);
      const token = await bearer(here, 'alice', 'repository:team/app:pull');
      expect(await ask(there, token, [repository('team/app', 'pull')])).toBe('alice');
      const kid = await here.keys.rotate();
      const after = await bearer(here, 'alice', 'repository:team/app:pull');
      expect((await here.keys.signingKey()).kid).toBe(kid);
      there.pass(1_000);
      for (const shown of [token, after]) {
        expect(await ask(there, shown, [repository('team/app', 'pull')])).toBe('alice');
      }
      const rows = await database.db.selectFrom('token_keys').selectAll().execute();
      expect(rows).toHaveLength(2);
      for (const row of rows) expect(row.private_key).not.toContain('"d"');
    });

    it('are the new ones from a rotation on, whatever was being read meanwhile', async () => {
      await using database = await open();
      await tokenWorld(database).keys.signingKey();
      const begun = Promise.withResolvers<void>();
      const mayEnd = Promise.withResolvers<void>();
      const slow = interleaved(database, { kind: 'select', table: 'token_keys' }, async () => {
        begun.resolve();
        await mayEnd.promise;
      });
      const { keys } = tokenWorld(slow);
      const before = keys.signingKey();
      await begun.promise;
      const rotated = keys.rotate();
      const made = () => database.db.selectFrom('token_keys').select('kid').execute();
      await expect.poll(made).toHaveLength(2);
      mayEnd.resolve();
      await before;
      const next = await rotated;
      expect((await keys.signingKey()).kid).toBe(next);
    });

    it('are one when many processes start at once', async () => {
      await using database = await open();
      const worlds = Array.from({ length: 4 }, () => tokenWorld(database));
      const kids = await Promise.all(worlds.map(async ({ keys }) => (await keys.signingKey()).kid));
      expect(new Set(kids).size).toBe(1);
    });
  });

  it('the Notary server takes tokens of its own service only, for the repository of the collection', async () => {
    await using database = await open();
    const world = tokenWorld(database);
    await world.projects.create({ name: 'team' }, alice);
    const gun = 'registry.example:8443/team/app';
    const issue = async (service: string): Promise<string> => {
      const { token } = await world.service.issue(alice, { service, scopes: [`repository:${gun}:push,pull`] });
      return `Bearer ${token}`;
    };
    const authorize = async (authorization: string | undefined, wanted = { gun, actions: ['push'] }): Promise<void> =>
      world.notary.authorize({ authorization, host: 'alias:4443', address: '::1', wanted });
    await authorize(await issue('harbor-notary'));
    await authorize(basic('alice'));
    await expect(authorize(await issue('harbor-registry'))).rejects.toThrow(AccessChallenge);
    await expect(authorize(basic('bob'))).rejects.toThrow(AccessChallenge);
    await expect(authorize(undefined)).rejects.toMatchObject({
      challenge: `Bearer realm="https://alias:8443/service/token",service="harbor-notary",scope="repository:${gun}:pull,push"`,
    });
  });
};
