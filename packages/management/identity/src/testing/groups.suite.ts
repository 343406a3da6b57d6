import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { GROUP_TYPES } from '../groups/group.ts';
import { IdentityServer } from './identity-server.ts';

/** The behaviour of groups over HTTP, and of accounts for those who give roles. */
export function groupsSuite(open: OpenTemporaryDatabase): void {
  let server: IdentityServer;
  beforeEach(async () => {
    server = await IdentityServer.start(open);
  });
  afterEach(async () => server[Symbol.asyncDispose]());

  const make = async (body: object) => server.ask('POST', '/usergroups', { as: server.admin, body });
  const dn = 'cn=devs,ou=groups,dc=example,dc=com';

  it('are made, read, renamed and removed', async () => {
    const made = await make({ group_name: 'devs', group_type: 1, ldap_group_dn: dn });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/api/v2.0/usergroups/1']);
    expect((await server.ask('GET', '/usergroups/1', { as: server.admin })).body).toEqual({
      id: 1,
      group_name: 'devs',
      group_type: 1,
      ldap_group_dn: dn,
    });
    const body = { group_name: 'developers' };
    expect((await server.ask('PUT', '/usergroups/1', { as: server.admin, body })).status).toBe(200);
    expect((await server.ask('GET', '/usergroups', { as: server.admin })).body).toMatchObject([
      { group_name: 'developers', ldap_group_dn: dn },
    ]);
    expect((await server.ask('DELETE', '/usergroups/1', { as: server.admin })).status).toBe(200);
    expect((await server.ask('GET', '/usergroups/1', { as: server.admin })).status).toBe(404);
    expect((await server.ask('DELETE', '/usergroups/1', { as: server.admin })).status).toBe(404);
  });

  it('of one kind do not share a name or DN, however it is written', async () => {
    await make({ group_name: 'devs', group_type: 1, ldap_group_dn: dn });
    const again = { group_name: 'others', group_type: 1, ldap_group_dn: 'CN=Devs, OU=groups, DC=example,DC=com' };
    expect((await make(again)).status).toBe(409);
    expect((await make({ group_name: 'devs', group_type: 3 })).status).toBe(201);
    expect((await make({ group_name: 'Devs', group_type: 3 })).status).toBe(409);
  });

  it.each([
    [{ group_type: 4 }, 'group name with illegal length'],
    [{ group_name: 'x', group_type: 2 }, 'invalid group type: 2'],
    [{ group_name: 'x', group_type: 1, ldap_group_dn: 'nonsense' }, 'the LDAP group DN is invalid'],
  ])('are refused when %o', async (body, message) => {
    const answer = await make(body);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining(message)]);
  });

  it('are found by everybody, and listed and changed by administrators', async () => {
    await make({ group_name: 'devs', group_type: 4 });
    await server.addUser('bob');
    const as = 'bob:Secret123';
    expect((await server.ask('GET', '/usergroups/search?groupname=ev', { as })).body).toEqual([
      { id: 1, group_name: 'devs', group_type: 4 },
    ]);
    expect((await server.ask('GET', '/usergroups/search', { as })).status).toBe(400);
    expect((await server.ask('GET', '/usergroups', { as })).status).toBe(403);
    expect((await server.ask('DELETE', '/usergroups/1', { as })).status).toBe(403);
  });

  describe('made here', () => {
    it('have members, who have their groups when they sign in', async () => {
      await make({ group_name: 'devs', group_type: 4 });
      const bob = await server.addUser('bob');
      const path = `/usergroups/1/members/${bob}`;
      expect((await server.ask('PUT', path, { as: server.admin })).status).toBe(200);
      expect((await server.ask('PUT', path, { as: server.admin })).status).toBe(200);
      expect((await server.ask('PUT', '/usergroups/1/members/99', { as: server.admin })).status).toBe(404);
      expect((await server.ask('GET', '/usergroups/1/members', { as: server.admin })).body).toEqual([
        { user_id: bob, username: 'bob' },
      ]);
      const principal = async () => server.identity.verifyPassword('bob', 'Secret123', '192.0.2.1');
      expect(await principal()).toMatchObject({ groupIds: [1] });
      expect((await server.ask('DELETE', path, { as: server.admin })).status).toBe(200);
      expect(await principal()).toMatchObject({ groupIds: [] });
    });
  });

  describe('of a source', () => {
    const signIn = async (names: readonly string[], administrator = false) =>
      server.identity.onboarding.signedIn({
        user: {
          source: 'oidc',
          subject: 'https://idp.example s1',
          name: 'ada',
          email: 'ada@example.com',
          realName: 'Ada',
          administrator,
        },
        groups: names.map((name) => ({ name, type: GROUP_TYPES.oidc, ldapDn: '' })),
      });

    it('are as the source says at each sign-in, beside those made here', async () => {
      await make({ group_name: 'here', group_type: 4 });
      const ada = await signIn(['devs', 'ops'], true);
      await server.identity.groups.addMember(1, ada.id);
      expect(ada).toMatchObject({ name: 'ada', administratorBySource: true, systemAdministrator: false });
      const names = async () =>
        [...(await server.identity.groups.names(await server.identity.groups.idsOf(ada.id))).values()].toSorted();
      expect(await names()).toEqual(['devs', 'here', 'ops']);
      expect((await signIn(['ops', 'new'])).administratorBySource).toBe(false);
      expect(await names()).toEqual(['here', 'new', 'ops']);
      await signIn([]);
      expect(await names()).toEqual(['here']);
    });

    it('are those of one user, who is seen for the first time twice at once', async () => {
      const [one, two] = await Promise.all([signIn(['devs']), signIn(['devs'])]);
      expect(one.id).toBe(two.id);
      expect(await server.identity.groups.idsOf(one.id)).toHaveLength(1);
    });

    it('are changed there only', async () => {
      await signIn(['devs']);
      expect((await server.ask('PUT', '/usergroups/1/members/1', { as: server.admin })).status).toBe(412);
    });

    it('do not give a source the account of another', async () => {
      await server.addUser('ada');
      await expect(signIn([])).rejects.toMatchObject({ class: 'Conflict', code: 'USER_NAME_TAKEN' });
    });
  });

  describe('accounts', () => {
    it('are found by id and name, and named', async () => {
      const { accounts } = server.identity;
      const bob = await server.addUser('bob');
      await make({ group_name: 'devs', group_type: 4 });
      expect(await accounts.findUser({ name: 'BOB' })).toMatchObject({ id: bob });
      expect(await accounts.findUser({ id: bob })).toMatchObject({ name: 'bob' });
      expect(await accounts.findUser({ name: 'nobody' })).toBeUndefined();
      expect(await accounts.findGroup({ name: 'devs' })).toMatchObject({ id: 1 });
      expect(await accounts.findGroup({ name: 'new', type: 3 })).toMatchObject({ id: 2, type: 3 });
      expect(await accounts.userNames([1, bob, 99])).toEqual(
        new Map([
          [1, 'admin'],
          [bob, 'bob'],
        ]),
      );
      expect(await accounts.groupNames([1])).toEqual(new Map([[1, 'devs']]));
      expect(await accounts.firstAdministrator()).toMatchObject({ id: 1 });
    });
  });
}
