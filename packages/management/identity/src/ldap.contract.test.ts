import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXAMPLE_DIRECTORY, SEARCH_ACCOUNT, Slapd, slapdUnavailable } from '@vic/directory/testing';
import { temporaryDatabase } from '@vic/sql/testing';
import { type Answer, IdentityServer } from './testing/identity-server.ts';

const unavailable = await slapdUnavailable();

describe.skipIf(unavailable !== undefined)(`identity with an LDAP directory${unavailable ?? ''}`, () => {
  let slapd: Slapd;
  let server: IdentityServer;
  beforeAll(async () => {
    slapd = await Slapd.start(EXAMPLE_DIRECTORY);
  });
  afterAll(async () => slapd[Symbol.asyncDispose]());
  beforeEach(async () => {
    server = await IdentityServer.start(temporaryDatabase);
    Object.assign(server.settings, {
      auth_mode: 'ldap_auth',
      ldap_url: slapd.secureUrl,
      ldap_ca: slapd.authority,
      ldap_search_dn: SEARCH_ACCOUNT.dn,
      ldap_search_password: SEARCH_ACCOUNT.password,
      ldap_base_dn: 'ou=people,dc=example,dc=com',
      ldap_uid: 'uid',
      ldap_group_base_dn: 'ou=groups,dc=example,dc=com',
      ldap_group_search_filter: '(objectClass=groupOfNames)',
      ldap_group_admin_dn: 'CN=admins, OU=groups, DC=example, DC=com',
    });
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  const get = async (path: string, as = server.admin): Promise<Answer> => server.ask('GET', path, { as });
  const outcome = async (name: string, secret: string): Promise<string> =>
    server.identity.verifyPassword(name, secret, '192.0.2.1').then(
      ({ kind }) => kind,
      (error: { code: string }) => error.code,
    );

  it('takes over who signs in, with nested groups and the role of administrator', async () => {
    expect((await get('/users/current', 'ada:ada-secret')).body).toMatchObject({
      username: 'ada',
      realname: 'Ada Lovelace',
      email: 'ada@example.com',
      comment: 'from LDAP.',
      sysadmin_flag: false,
      admin_role_in_auth: true,
    });
    const groups = (await get('/usergroups')).body as { group_name: string }[];
    expect(groups.map(({ group_name: name }) => name)).toEqual(['admins', 'devs', 'everybody', 'loop']);
    expect((await get('/usergroups?ldap_group_dn=CN%3Ddevs,OU%3Dgroups,DC%3Dexample,DC%3Dcom')).body).toHaveLength(1);
    expect((await get('/users', 'ada:ada-secret')).status).toBe(200);
  });

  it('refuses what the directory refuses, and counts it', async () => {
    expect(await outcome('ada', 'wrong')).toBe('CREDENTIALS_WRONG');
    expect(await outcome('*', 'ada-secret')).toBe('CREDENTIALS_WRONG');
    for (let n = 0; n < 4; n++) await outcome('ada', 'wrong');
    expect(await outcome('ada', 'ada-secret')).toBe('SIGN_IN_BLOCKED');
  });

  it('lets local users in without the directory, and others not when it is gone', async () => {
    server.settings['ldap_url'] = 'ldaps://127.0.0.1:1';
    expect((await get('/users/current')).status).toBe(200);
    expect((await get('/users/current', 'ada:ada-secret')).status).toBe(503);
  });

  it('does not let the directory be another local user', async () => {
    await server.addUser('bob');
    expect(await outcome('bob', 'bob-secret')).toBe('CREDENTIALS_WRONG');
    expect(await outcome('bob', 'Secret123')).toBe('user');
  });

  it('is searched for people and groups', async () => {
    expect((await get('/ldap/users/search?username=ada')).body).toEqual([
      { username: 'ada', realname: 'Ada Lovelace', email: 'ada@example.com' },
    ]);
    expect((await get('/ldap/groups/search?groupname=dev')).body).toEqual([
      { group_name: 'devs', group_type: 1, ldap_group_dn: 'cn=devs,ou=groups,dc=example,dc=com' },
    ]);
    expect((await get('/ldap/groups/search?groupdn=cn%3Dnone,ou%3Dgroups,dc%3Dexample,dc%3Dcom')).status).toBe(404);
    expect((await get('/ldap/users/search', 'dan:dan-secret')).status).toBe(403);
  });

  it('gives users before they sign in, and says which it could not', async () => {
    const take = async (...names: string[]): Promise<Answer> =>
      server.ask('POST', '/ldap/users/import', { as: server.admin, body: { ldap_uid_list: names } });
    expect((await take('ada', 'bob')).status).toBe(200);
    const second = await take('bob', 'nobody', '', 'dan');
    expect([second.status, second.body]).toEqual([
      404,
      [
        { uid: 'bob', error: 'duplicate_user' },
        { uid: 'nobody', error: 'unknown_user' },
        { uid: '', error: 'empty_uid' },
      ],
    ]);
    const names = ((await get('/users')).body as { username: string }[]).map(({ username }) => username);
    expect(names).toEqual(['ada', 'admin', 'bob', 'dan']);
  });

  it('gives users and groups to those who give them roles', async () => {
    const { accounts } = server.identity;
    expect(await accounts.findUser({ name: 'dan' })).toMatchObject({ name: 'dan', source: 'ldap' });
    expect(await accounts.findUser({ name: 'nobody' })).toBeUndefined();
    const dn = 'cn=devs,ou=groups,dc=example,dc=com';
    const group = await accounts.findGroup({ ldapDn: dn });
    expect(group).toMatchObject({ name: 'devs', type: 1 });
    expect(await accounts.findGroup({ ldapDn: dn.toUpperCase() })).toEqual(group);
    expect(await accounts.findGroup({ ldapDn: 'cn=none,ou=groups,dc=example,dc=com' })).toBeUndefined();
  });

  it('is where passwords and profiles are changed', async () => {
    await outcome('ada', 'ada-secret');
    const { id } = (await server.identity.users.findByName('ada')) ?? { id: 0 };
    const body = { new_password: 'Better456' };
    const answer = await server.ask('PUT', `/users/${id}/password`, { as: server.admin, body });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([
      403,
      expect.stringContaining(`User with ID ${id} can't be updated`),
    ]);
  });

  it('is tried by POST /ldap/ping, without giving the kept password to another server', async () => {
    const ping = async (body?: object): Promise<unknown> =>
      (await server.ask('POST', '/ldap/ping', { as: server.admin, ...(body === undefined ? {} : { body }) })).body;
    expect(await ping()).toEqual({ success: true, message: '' });
    expect(await ping({})).toEqual({ success: true, message: '' });
    const described = { ldap_url: slapd.url, ldap_search_dn: SEARCH_ACCOUNT.dn };
    expect(await ping({ ...described, ldap_search_password: SEARCH_ACCOUNT.password })).toMatchObject({
      success: true,
    });
    expect(await ping(described)).toMatchObject({ success: false });
    expect(await ping({ ldap_url: 'http://x' })).toMatchObject({
      success: false,
      message: expect.stringContaining('is not the address of an LDAP server'),
    });
  });
});
