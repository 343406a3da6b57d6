import { LdapDirectory, type LdapGroup, type LdapSignIn, type LdapUser, normalizeDn } from '@vic/directory';
import { GROUP_TYPES, type NewGroup } from '../groups/group.ts';
import type { SourceUser } from '../users/user.ts';
import { tamedName } from '../users/user-rules.ts';
import type { LdapConfiguration } from './identity-configuration.ts';

/** A user a source has vouched for, with the groups it named; `undefined` when it does not know of groups. */
export interface SourceSignIn {
  readonly user: SourceUser;
  readonly groups: readonly NewGroup[] | undefined;
}

/** The LDAP directory as a source of users and groups. */
export class LdapSource {
  readonly #configuration: LdapConfiguration;
  readonly #directory: LdapDirectory;

  constructor(configuration: LdapConfiguration) {
    this.#configuration = configuration;
    this.#directory = new LdapDirectory(configuration);
  }

  /** Fails unless the directory can be used. */
  async ping(): Promise<void> {
    await this.#directory.ping();
  }

  /** The user, when the directory accepts name and password. */
  async signIn(name: string, password: string): Promise<SourceSignIn | undefined> {
    const found = await this.#directory.authenticate(name, password);
    return found === undefined ? undefined : this.#signInOf(found);
  }

  /** The user with that name, to be taken over before the first sign-in. */
  async find(name: string): Promise<SourceUser | undefined> {
    const found = await this.#directory.findUser(name);
    return found === undefined ? undefined : sourceUserOf(found, false);
  }

  /** People whose name contains the text. */
  async searchUsers(text: string, limit: number): Promise<readonly LdapUser[]> {
    return this.#directory.searchUsers(text, limit);
  }

  /** Groups whose name contains the text, or the one with that DN. */
  async searchGroups(name: string, dn: string, limit: number): Promise<readonly LdapGroup[]> {
    if (dn === '') return this.#directory.searchGroups(name, limit);
    const group = await this.#directory.findGroup(dn);
    return group === undefined ? [] : [group];
  }

  #signInOf(found: LdapSignIn): SourceSignIn {
    const { adminGroupDn } = this.#configuration;
    const administrator =
      adminGroupDn !== '' && found.groups?.some(({ dn }) => normalizeDn(dn) === normalizeDn(adminGroupDn)) === true;
    return { user: sourceUserOf(found, administrator), groups: found.groups?.map(newGroupOf) };
  }
}

function sourceUserOf(user: LdapUser, administrator: boolean): SourceUser {
  return {
    source: 'ldap',
    subject: normalizeDn(user.dn),
    name: tamedName(user.userName),
    email: user.email,
    realName: user.realName,
    administrator,
  };
}

function newGroupOf({ dn, name }: LdapGroup): NewGroup {
  return { type: GROUP_TYPES.ldap, name, ldapDn: dn };
}
