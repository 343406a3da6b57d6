import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { freePort } from '@vic/testkit';
import { LdapDirectory, type LdapOptions } from './index.ts';
import { EXAMPLE_DIRECTORY, SEARCH_ACCOUNT, Slapd, slapdUnavailable } from './testing/index.ts';

const unavailable = await slapdUnavailable();

describe.skipIf(unavailable !== undefined)(`LdapDirectory with OpenLDAP${unavailable ?? ''}`, () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await Slapd.start(EXAMPLE_DIRECTORY);
  });
  afterAll(async () => slapd[Symbol.asyncDispose]());

  const directory = (options: Partial<LdapOptions> = {}): LdapDirectory =>
    new LdapDirectory({
      url: slapd.url,
      searchDn: SEARCH_ACCOUNT.dn,
      searchPassword: SEARCH_ACCOUNT.password,
      baseDn: 'ou=people,dc=example,dc=com',
      filter: '(objectClass=inetOrgPerson)',
      uidAttribute: 'uid',
      scope: 'sub',
      startTls: false,
      verifyCertificate: true,
      timeoutMs: 30_000,
      ...options,
    });
  const groups = {
    baseDn: 'ou=groups,dc=example,dc=com',
    filter: '(objectClass=groupOfNames)',
    nameAttribute: 'cn',
    membershipAttribute: 'memberOf',
    scope: 'sub',
  } as const;

  it('accepts the right password of a person', async () => {
    expect(await directory().authenticate('ada', 'ada-secret')).toEqual({
      dn: 'uid=ada,ou=people,dc=example,dc=com',
      userName: 'ada',
      realName: 'Ada Lovelace',
      email: 'ada@example.com',
      groups: undefined,
    });
  });

  it.each([
    ['ada', 'wrong'],
    ['ada', ''],
    ['', 'ada-secret'],
    ['nobody', 'ada-secret'],
    ['a*', 'ada-secret'],
    ['*', 'ada-secret'],
    ['ada)(uid=*', 'ada-secret'],
  ])('refuses %j with %j', async (name, password) => {
    expect(await directory().authenticate(name, password)).toBeUndefined();
  });

  it('takes special characters of a name for themselves', async () => {
    expect(await directory().authenticate('eve*', 'eve*-secret')).toMatchObject({ userName: 'eve*' });
  });

  it('refuses a name that is not one person', async () => {
    const wide = directory({ baseDn: 'dc=example,dc=com' });
    expect(await wide.authenticate('twin', 'twin-secret')).toBeUndefined();
    expect(await directory().authenticate('twin', 'twin-secret')).toMatchObject({ realName: 'Twin One' });
  });

  it('finds people by filter and scope', async () => {
    expect(await directory().findUser('bob')).toMatchObject({ dn: 'uid=bob,ou=people,dc=example,dc=com' });
    expect(await directory({ filter: '(cn=Ada*)' }).findUser('bob')).toBeUndefined();
    expect(await directory({ baseDn: 'dc=example,dc=com', scope: 'one' }).findUser('bob')).toBeUndefined();
    const names = (await directory().searchUsers('a', 10)).map(({ userName }) => userName);
    expect(names.toSorted()).toEqual(['ada', 'dan']);
    expect(await directory().searchUsers('', 3)).toHaveLength(3);
  });

  it('follows groups of groups, through circles, and leaves others out', async () => {
    const found = await directory({ groups }).authenticate('ada', 'ada-secret');
    const names = found?.groups?.map(({ name }) => name).toSorted();
    expect(names).toEqual(['admins', 'devs', 'everybody', 'loop']);
    const none = await directory({ groups: { ...groups, filter: '(cn=nothing)' } }).authenticate('ada', 'ada-secret');
    expect(none?.groups).toEqual([]);
  });

  it('believes what a person lists as groups', async () => {
    const found = await directory({ groups }).authenticate('dan', 'dan-secret');
    expect(found?.groups).toEqual([{ dn: 'cn=legacy,ou=groups,dc=example,dc=com', name: 'legacy' }]);
    const unlisted = { ...groups, membershipAttribute: '' };
    expect((await directory({ groups: unlisted }).authenticate('dan', 'dan-secret'))?.groups).toEqual([]);
  });

  it('finds groups by name and by DN', async () => {
    const found = await directory({ groups }).searchGroups('dev', 10);
    expect(found).toEqual([{ dn: 'cn=devs,ou=groups,dc=example,dc=com', name: 'devs' }]);
    expect(await directory({ groups }).findGroup('CN=Devs,OU=Groups,DC=example,DC=com')).toMatchObject({
      name: 'devs',
    });
    expect(await directory({ groups }).findGroup('cn=none,ou=groups,dc=example,dc=com')).toBeUndefined();
    expect(await directory({ groups }).findGroup('cn=outside,ou=elsewhere,dc=example,dc=com')).toBeUndefined();
  });

  it('speaks TLS, from the start or after StartTLS, and checks the certificate', async () => {
    const authorities = slapd.authority;
    await directory({ url: slapd.secureUrl, authorities }).ping();
    await directory({ startTls: true, authorities }).ping();
    await directory({ url: slapd.secureUrl, verifyCertificate: false }).ping();
    for (const options of [{ url: slapd.secureUrl }, { startTls: true }]) {
      await expect(directory(options).ping()).rejects.toMatchObject({ class: 'Unavailable', code: 'LDAP_UNAVAILABLE' });
    }
    const named = { url: slapd.secureUrl.replace('127.0.0.1', 'localhost'), authorities };
    await directory(named).ping();
  });

  it('tells of a search account that is refused', async () => {
    await expect(directory({ searchPassword: 'wrong' }).ping()).rejects.toMatchObject({
      class: 'FailedPrecondition',
      code: 'LDAP_SEARCH_ACCOUNT',
    });
  });

  it('tells of a base that is not there, and of a filter that is none', async () => {
    await expect(directory({ baseDn: 'ou=none,dc=example,dc=com' }).findUser('ada')).rejects.toMatchObject({
      code: 'LDAP_NO_SUCH_ENTRY',
    });
    await expect(directory({ filter: '(uid=' }).findUser('ada')).rejects.toMatchObject({ code: 'LDAP_FILTER_INVALID' });
  });

  it('tells of a server that is not there', async () => {
    const url = `ldap://127.0.0.1:${await freePort()}`;
    await expect(directory({ url }).ping()).rejects.toMatchObject({ class: 'Unavailable' });
  });

  it('does not wait for ever for one that says nothing', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `ldap://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await expect(directory({ url, timeoutMs: 200 }).ping()).rejects.toMatchObject({
      class: expect.stringMatching(/^(Unavailable|DeadlineExceeded)$/),
    });
    silent.close();
  });
});
