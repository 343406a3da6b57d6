import { VicError } from '@vic/errors';

/** Where to look in a directory: the entry itself, its children, or everything below. */
export type LdapScope = 'base' | 'one' | 'sub';

/** How groups are found. */
export interface LdapGroupOptions {
  /** The users' base when empty. */
  readonly baseDn: string;
  /** For example `(objectClass=groupOfNames)`. */
  readonly filter: string;
  /** The attribute that names a group; `cn` when empty. */
  readonly nameAttribute: string;
  /** The attribute of users and groups that lists their groups, as `memberOf`. */
  readonly membershipAttribute: string;
  readonly scope: LdapScope;
}

/** A directory, and how people are found in it. */
export interface LdapOptions {
  /** `ldap://host:port` or `ldaps://host:port`; the scheme may be left out. */
  readonly url: string;
  /** Whom to search as; anonymous when empty. */
  readonly searchDn: string;
  readonly searchPassword: string;
  readonly baseDn: string;
  /** Which entries are users; every entry when empty. */
  readonly filter: string;
  /** The attribute people sign in with, as `uid` or `sAMAccountName`. */
  readonly uidAttribute: string;
  readonly scope: LdapScope;
  /** Groups are not looked up when absent. */
  readonly groups?: LdapGroupOptions;
  /** Upgrades an `ldap:` connection to TLS before anything is said. */
  readonly startTls: boolean;
  readonly verifyCertificate: boolean;
  /** PEM certificates of authorities trusted besides the public ones. */
  readonly authorities?: string;
  /** For connecting, and for each answer. */
  readonly timeoutMs: number;
}

const LDAPS_PORT = '636';

/** The address in full: scheme and port; a bare port 636 means TLS, as in Harbor. */
export function ldapUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `ldap://${text}`);
  if (url === null || (url.protocol !== 'ldap:' && url.protocol !== 'ldaps:') || url.hostname === '') {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'LDAP_URL_INVALID',
      message: `"${text.slice(0, 200)}" is not the address of an LDAP server.`,
      remedy: 'Give it as ldap://host:389 or ldaps://host:636.',
    });
  }
  const secure = url.protocol === 'ldaps:' || url.port === LDAPS_PORT;
  const port = url.port !== '' ? url.port : secure ? LDAPS_PORT : '389';
  return new URL(`${secure ? 'ldaps' : 'ldap'}://${url.hostname}:${port}`);
}
