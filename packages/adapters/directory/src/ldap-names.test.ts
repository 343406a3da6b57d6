import { describe, expect, it } from 'vitest';
import { allOf, anyOf, attributeName, contains, equals, isUnder, normalizeDn } from './ldap-names.ts';
import { ldapUrl } from './ldap-options.ts';

describe('filters', () => {
  it('cannot be changed by what people type', () => {
    expect(equals('uid', '*)(uid=*')).toBe(String.raw`(uid=\2a\29\28uid=\2a)`);
    expect(equals('uid', 'a\\b\0')).toBe(String.raw`(uid=a\5cb\00)`);
    expect(contains('cn', 'a*b')).toBe(String.raw`(cn=*a\2ab*)`);
    expect(contains('cn', '')).toBe('(cn=*)');
  });

  it('are put together, with brackets where they lack', () => {
    expect(allOf('objectClass=person', '', '(uid=x)')).toBe('(&(objectClass=person)(uid=x))');
    expect(allOf('')).toBe('(objectClass=*)');
    expect(anyOf(['(a=1)', '(b=2)'])).toBe('(|(a=1)(b=2))');
  });

  it.each(['(uid=x', '(&(uid=x)', 'nonsense'])('%s is refused', (filter) => {
    expect(() => allOf(filter)).toThrow('invalid LDAP filter');
  });

  it('name attributes only', () => {
    expect(attributeName('sAMAccountName')).toBe('sAMAccountName');
    expect(() => attributeName('uid=x)(')).toThrow('is not the name of an LDAP attribute');
  });
});

describe('distinguished names', () => {
  it('are equal however they are written', () => {
    expect(normalizeDn('CN=Devs , OU = Groups,dc=Example,DC=com')).toBe('cn=devs,ou=groups,dc=example,dc=com');
    expect(normalizeDn(String.raw`cn=a\,b,dc=c`)).toBe(String.raw`cn=a\,b,dc=c`);
  });

  it('lie below others', () => {
    expect(isUnder('cn=x,ou=a,dc=c', 'OU=a, dc=c')).toBe(true);
    expect(isUnder('ou=a,dc=c', 'ou=a,dc=c')).toBe(true);
    expect(isUnder('cn=x,ou=ba,dc=c', 'a,dc=c')).toBe(false);
  });
});

describe('ldapUrl', () => {
  it.each([
    ['ldap.example.com', 'ldap://ldap.example.com:389'],
    ['ldap.example.com:636', 'ldaps://ldap.example.com:636'],
    ['ldaps://ldap.example.com', 'ldaps://ldap.example.com:636'],
    ['ldap://10.0.0.1:1389', 'ldap://10.0.0.1:1389'],
  ])('%s is %s', (text, url) => {
    expect(ldapUrl(text).href).toBe(url);
  });

  it.each(['http://x', 'ldap://', ''])('%j is none', (text) => {
    expect(() => ldapUrl(text)).toThrow('is not the address of an LDAP server');
  });
});
