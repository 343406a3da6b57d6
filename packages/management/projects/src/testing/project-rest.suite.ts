import { ANONYMOUS, type Principal } from '@vic/authz';
import { type HttpApplication, createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { registerRest, restErrorResponse } from '@vic/rest';
import type { Database } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { projectRestRoutes } from '../index.ts';
import { type TestWorld, testWorld, userNamed } from './test-world.ts';

const API = '/api/v2.0';

/** An API whose callers say who they are in `Authorization`. */
async function testApi(
  database: Database,
  options: { readonly creation?: 'everyone' | 'adminonly' } = {},
): Promise<TestWorld & { readonly call: Call } & AsyncDisposable> {
  const world = testWorld(database);
  const server = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
  const services = {
    authenticate: async ({ authorization }: { authorization: string | undefined }): Promise<Principal> => {
      if (authorization === 'robot') return { kind: 'robot', id: 1, name: 'robot-x', grants: [] };
      return authorization === undefined ? ANONYMOUS : userNamed(authorization);
    },
    authorizer: world.authorizer,
    findProject: async (nameOrId: string, isName: boolean) => world.projects.find(nameOrId, isName),
    isReadOnly: async () => false,
    record: async () => undefined,
  };
  const routes = projectRestRoutes({
    ...world.deps,
    ...world,
    projectCreation: async () => options.creation ?? 'everyone',
  });
  await registerRest(server.app, { prefix: API, services, logger: silentLogger() }, routes);
  return { ...world, call: caller(server.app), [Symbol.asyncDispose]: async () => server.close() };
}

type Call = (
  as: string | undefined,
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}>;

function caller(app: HttpApplication): Call {
  return async (as, method, path, body) => {
    const response = await app.inject({
      method,
      url: `${API}${path}`,
      headers: as === undefined ? {} : { authorization: as },
      ...(body === undefined ? {} : { payload: body }),
    });
    const text = response.body;
    return {
      status: response.statusCode,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
}

function namesIn(body: unknown): string[] {
  return (body as { name: string }[]).map(({ name }) => name);
}

/** What the REST API of projects promises on every database. */
export const projectRestSuite: DialectSuite = (open) => {
  describe('POST /projects', () => {
    it('makes a project and answers where it is', async () => {
      await using database = await open();
      await using api = await testApi(database);
      const made = await api.call('alice', 'POST', '/projects', {
        project_name: 'team',
        metadata: { public: 'true', auto_scan: null },
        cve_allowlist: { items: [{ cve_id: 'CVE-1' }] },
      });
      expect(made.status).toBe(201);
      expect(made.headers['location']).toMatch(/^\/api\/v2\.0\/projects\/\d+$/);
      const read = await api.call('alice', 'GET', String(made.headers['location']).slice(API.length));
      expect(read.body).toMatchObject({
        name: 'team',
        owner_name: 'alice',
        repo_count: 0,
        current_user_role_id: 1,
        metadata: { public: 'true' },
        cve_allowlist: { items: [{ cve_id: 'CVE-1' }] },
      });
      expect((await api.call('alice', 'POST', '/projects', { project_name: 'team' })).status).toBe(409);
      const wrong = await api.call('alice', 'POST', '/projects', { project_name: 'Team' });
      const message = 'project name is not in lower case or contains illegal characters';
      expect(wrong).toMatchObject({ status: 400, body: { errors: [{ code: 'BAD_REQUEST', message }] } });
    });

    it('is not for everybody', async () => {
      await using database = await open();
      await using api = await testApi(database, { creation: 'adminonly' });
      const status = async (as: string | undefined, body: object): Promise<number> =>
        (await api.call(as, 'POST', '/projects', body)).status;
      expect(await status(undefined, { project_name: 'a' })).toBe(401);
      expect(await status('alice', { project_name: 'a' })).toBe(403);
      expect(await status('robot', { project_name: 'a' })).toBe(403);
      expect(await status('admin', { project_name: 'a', storage_limit: 100, registry_id: 7 })).toBe(201);
      await using everyone = await testApi(database);
      const create = async (body: object): Promise<number> =>
        (await everyone.call('alice', 'POST', '/projects', body)).status;
      expect(await create({ project_name: 'b', storage_limit: 100 })).toBe(403);
      expect(await create({ project_name: 'b', registry_id: 7 })).toBe(403);
      expect(await create({ project_name: 'b', storage_limit: -1 })).toBe(201);
    });
  });

  it('GET /projects shows everybody what each may see', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'alpha' });
    await api.call('bob', 'POST', '/projects', { project_name: 'beta', metadata: { public: 'true' } });
    await api.call('bob', 'POST', '/projects', { project_name: 'gamma' });
    const list = async (as: string | undefined, query = ''): Promise<string[]> =>
      namesIn((await api.call(as, 'GET', `/projects${query}`)).body);
    expect(await list(undefined)).toEqual(['beta']);
    expect(await list(undefined, '?public=false')).toEqual([]);
    expect(await list('alice')).toEqual(['alpha', 'beta']);
    expect(await list('bob')).toEqual(['beta', 'gamma']);
    expect(await list('robot')).toEqual(['beta']);
    expect(await list('admin')).toEqual(['alpha', 'beta', 'gamma']);
    expect(await list('admin', '?name=ET')).toEqual(['beta']);
    expect(await list('admin', '?owner=bob&public=false')).toEqual(['gamma']);
    expect(await list('admin', '?owner=nobody')).toEqual([]);
    expect(await list('admin', '?q=name=~a&sort=-name&page_size=2')).toEqual(['gamma', 'beta']);
    const page = await api.call('admin', 'GET', '/projects?page=2&page_size=2&with_detail=false');
    expect(page.headers['x-total-count']).toBe('3');
    expect(page.headers['link']).toContain('rel="prev"');
    expect((await api.call('admin', 'GET', '/projects?q=nonsense=1')).status).toBe(400);
  });

  it('HEAD /projects tells whether a name is taken', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'team' });
    const status = async (as: string | undefined, query: string): Promise<number> =>
      (await api.call(as, 'HEAD', `/projects${query}`)).status;
    expect(await status('bob', '?project_name=team')).toBe(200);
    expect(await status('bob', '?project_name=other')).toBe(404);
    expect(await status('bob', '')).toBe(400);
    expect(await status(undefined, '?project_name=team')).toBe(401);
  });

  it('a private project is forbidden to strangers, a missing one not found', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'team' });
    expect((await api.call('bob', 'GET', '/projects/team')).status).toBe(403);
    expect((await api.call('bob', 'GET', '/projects/none')).status).toBe(404);
    expect((await api.call(undefined, 'GET', '/projects/team')).status).toBe(401);
    expect((await api.call(undefined, 'GET', '/projects/none')).status).toBe(401);
  });

  it('PUT /projects/{id} changes visibility at once, and refuses what never changes', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'team' });
    const put = async (body: object): Promise<number> =>
      (await api.call('alice', 'PUT', '/projects/team', body)).status;
    expect(await put({ metadata: { public: 'true' }, storage_limit: -1 })).toBe(200);
    expect((await api.call(undefined, 'GET', '/projects/team')).status).toBe(200);
    expect(await put({ project_name: 'team', metadata: { public: 'false' } })).toBe(200);
    expect((await api.call(undefined, 'GET', '/projects/team')).status).toBe(401);
    expect(await put({ project_name: 'other' })).toBe(200);
    expect((await api.call('alice', 'GET', '/projects/team')).body).toMatchObject({ name: 'team' });
    expect(await put({ registry_id: 7 })).toBe(400);
    expect(await put({ cve_allowlist: { project_id: 999 } })).toBe(400);
    expect(await put({ storage_limit: 100 })).toBe(403);
    expect(await put({ cve_allowlist: { items: [{ cve_id: 'CVE-7' }], expires_at: 5 } })).toBe(200);
    const { body } = await api.call('alice', 'GET', '/projects/team');
    expect(body).toMatchObject({ cve_allowlist: { items: [{ cve_id: 'CVE-7' }], expires_at: 5 } });
  });

  it('DELETE and _deletable agree', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'team' });
    const id = (await api.projects.findByName('team'))?.id ?? 0;
    api.repositories.set(id, 2);
    const message = 'the project contains repositories, can not be deleted';
    expect((await api.call('alice', 'GET', '/projects/team/_deletable')).body).toEqual({ deletable: false, message });
    expect(await api.call('alice', 'DELETE', '/projects/team')).toMatchObject({
      status: 412,
      body: { errors: [{ code: 'PRECONDITION', message }] },
    });
    api.repositories.clear();
    expect((await api.call('alice', 'GET', `/projects/${id}/_deletable`)).body).toEqual({ deletable: true });
    expect((await api.call('alice', 'DELETE', `/projects/${id}`)).status).toBe(200);
    expect((await api.call('alice', 'GET', `/projects/${id}`)).status).toBe(404);
  });

  it('the summary shows what its reader may know', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('admin', 'POST', '/projects', {
      project_name: 'hub',
      registry_id: 7,
      storage_limit: 500,
      metadata: { public: 'true' },
    });
    expect((await api.call('admin', 'GET', '/projects/hub/summary')).body).toEqual({
      repo_count: 0,
      project_admin_count: 1,
      maintainer_count: 0,
      developer_count: 0,
      guest_count: 0,
      limited_guest_count: 0,
      quota: { hard: { storage: 500 }, used: { storage: 0 } },
      registry: { id: 7, name: 'hub' },
    });
    expect((await api.call(undefined, 'GET', '/projects/hub/summary')).body).toEqual({
      repo_count: 0,
      registry: { id: 7, name: 'hub' },
    });
  });

  it('members are added by id, name and DN, listed in pages, changed and removed', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'team' });
    const members = '/projects/team/members';
    const added = await api.call('alice', 'POST', members, { role_id: 3, member_user: { username: 'bob' } });
    expect(added.status).toBe(201);
    const location = String(added.headers['location']).slice(API.length);
    expect((await api.call('bob', 'GET', location)).body).toMatchObject({
      entity_name: 'bob',
      entity_type: 'u',
      entity_id: 3,
      role_id: 3,
      role_name: 'guest',
    });
    const add = async (body: object): Promise<number> => (await api.call('alice', 'POST', members, body)).status;
    expect(await add({ role_id: 2, member_user: { user_id: 3 } })).toBe(409);
    expect(await add({ role_id: 2 })).toBe(400);
    expect(await add({ role_id: 9, member_user: { user_id: 4 } })).toBe(400);
    expect(await add({ role_id: 2, member_group: { ldap_group_dn: 'cn=builders,dc=example' } })).toBe(201);
    expect(await add({ role_id: 2, member_group: { id: 12 } })).toBe(201);
    expect((await api.call('bob', 'POST', members, { role_id: 1, member_user: { user_id: 4 } })).status).toBe(403);
    const page = await api.call('bob', 'GET', `${members}?page_size=2`);
    expect(page.headers['x-total-count']).toBe('4');
    expect(page.body).toHaveLength(2);
    expect((await api.call('bob', 'GET', `${members}?entityname=build`)).body).toHaveLength(1);
    expect((await api.call('alice', 'PUT', location, { role_id: 1 })).status).toBe(200);
    expect((await api.call('bob', 'DELETE', location)).status).toBe(200);
    expect((await api.call('bob', 'GET', location)).status).toBe(403);
    expect((await api.call('alice', 'GET', location)).status).toBe(404);
  });

  it('metadata is read and changed one key at a time', async () => {
    await using database = await open();
    await using api = await testApi(database);
    await api.call('alice', 'POST', '/projects', { project_name: 'team' });
    const metadata = '/projects/team/metadatas';
    const statusOf = async (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<number> =>
      (await api.call('alice', method, path, body)).status;
    expect(await statusOf('POST', `${metadata}/`, { auto_scan: 'true' })).toBe(200);
    expect(await statusOf('POST', metadata, { auto_scan: 'true' })).toBe(409);
    expect(await statusOf('POST', metadata, { auto_scan: 'true', prevent_vul: 'true' })).toBe(400);
    expect(await statusOf('POST', metadata, { nonsense: 'true' })).toBe(400);
    expect(await statusOf('PUT', `${metadata}/auto_scan`, { auto_scan: '0' })).toBe(200);
    expect(await statusOf('PUT', `${metadata}/auto_scan`, { public: 'true' })).toBe(400);
    expect((await api.call('alice', 'GET', `${metadata}/`)).body).toEqual({ public: 'false', auto_scan: 'false' });
    expect((await api.call('alice', 'GET', `${metadata}/auto_scan`)).body).toEqual({ auto_scan: 'false' });
    expect(await statusOf('DELETE', `${metadata}/auto_scan`)).toBe(200);
    expect((await api.call('alice', 'GET', `${metadata}/auto_scan`)).body).toEqual({});
  });

  it('the allowlist of the system is for all to read and for administrators to change', async () => {
    await using database = await open();
    await using api = await testApi(database);
    const path = '/system/CVEAllowlist';
    const content = { items: [{ cve_id: 'CVE-1' }], expires_at: null };
    expect((await api.call('admin', 'PUT', path, content)).status).toBe(200);
    expect((await api.call('alice', 'GET', path)).body).toMatchObject({ project_id: 0, items: [{ cve_id: 'CVE-1' }] });
    expect((await api.call('alice', 'PUT', path, content)).status).toBe(403);
    expect((await api.call(undefined, 'GET', path)).status).toBe(401);
  });
};
