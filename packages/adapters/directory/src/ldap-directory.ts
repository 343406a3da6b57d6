import { withDeadline } from '@vic/async';
import type { Entry } from 'ldapts';
import { searchAccountRefused } from './ldap-error.ts';
import { type LdapGroup, LdapGroups } from './ldap-groups.ts';
import { allOf, attributeName, contains, equals } from './ldap-names.ts';
import type { LdapOptions } from './ldap-options.ts';
import { LdapSession, attribute } from './ldap-session.ts';

/** A person in the directory. */
export interface LdapUser {
  readonly dn: string;
  /** The value of the attribute people sign in with. */
  readonly userName: string;
  readonly realName: string;
  readonly email: string;
}

/** A person whose password the directory accepted. */
export interface LdapSignIn extends LdapUser {
  /** Nested ones included; `undefined` when groups are not looked up. */
  readonly groups: readonly LdapGroup[] | undefined;
}

/** A whole question takes this many times what one answer may take. */
const DEADLINE_FACTOR = 4;

/** Questions to one LDAP directory, each on a connection of its own. */
export class LdapDirectory {
  readonly #options: LdapOptions;

  constructor(options: LdapOptions) {
    this.#options = options;
  }

  /** Fails unless the server answers and accepts the search account. */
  async ping(signal?: AbortSignal): Promise<void> {
    await this.#ask(async () => undefined, signal);
  }

  /** The person with that name and password; `undefined` when there is none, or more than one of that name. */
  async authenticate(userName: string, password: string, signal?: AbortSignal): Promise<LdapSignIn | undefined> {
    if (userName.trim() === '' || password === '') return undefined;
    return this.#ask(async (session) => {
      const filter = equals(this.#options.uidAttribute, userName);
      const [entry, another] = await this.#users(session, filter, 2);
      if (entry === undefined || another !== undefined) return undefined;
      // The groups are read as the search account: people often may not.
      const groups = await this.#groupsOf(session, entry);
      return (await session.bind(entry.dn, password)) ? { ...this.#userOf(entry), groups } : undefined;
    }, signal);
  }

  /** The person with that very name. */
  async findUser(userName: string, signal?: AbortSignal): Promise<LdapUser | undefined> {
    return this.#ask(async (session) => {
      const [entry, another] = await this.#users(session, equals(this.#options.uidAttribute, userName), 2);
      return entry === undefined || another !== undefined ? undefined : this.#userOf(entry);
    }, signal);
  }

  /** People whose name contains the text. */
  async searchUsers(text: string, limit: number, signal?: AbortSignal): Promise<readonly LdapUser[]> {
    return this.#ask(async (session) => {
      const entries = await this.#users(session, contains(this.#options.uidAttribute, text), limit);
      return entries.map((entry) => this.#userOf(entry));
    }, signal);
  }

  /** Groups whose name contains the text. */
  async searchGroups(text: string, limit: number, signal?: AbortSignal): Promise<readonly LdapGroup[]> {
    return this.#ask(async (session) => (await this.#groups(session)?.search(text, limit)) ?? [], signal);
  }

  /** The group with that distinguished name. */
  async findGroup(dn: string, signal?: AbortSignal): Promise<LdapGroup | undefined> {
    return this.#ask(async (session) => this.#groups(session)?.find(dn), signal);
  }

  async #ask<T>(question: (session: LdapSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { searchDn, searchPassword, timeoutMs } = this.#options;
    return withDeadline(
      'the LDAP server',
      timeoutMs * DEADLINE_FACTOR,
      async () => {
        await using session = await LdapSession.open(this.#options);
        if (searchDn !== '' && !(await session.bind(searchDn, searchPassword))) throw searchAccountRefused(searchDn);
        return await question(session);
      },
      signal,
    );
  }

  async #users(session: LdapSession, filter: string, limit: number): Promise<readonly Entry[]> {
    const membership = this.#options.groups?.membershipAttribute ?? '';
    const names = [this.#options.uidAttribute, 'cn', 'displayName', 'mail', 'email'];
    return session.search(this.#options.baseDn, limit, {
      scope: this.#options.scope,
      filter: allOf(this.#options.filter, filter),
      attributes: [...names, ...(membership === '' ? [] : [attributeName(membership)])],
    });
  }

  #userOf(entry: Entry): LdapUser {
    const userName = attribute(entry, this.#options.uidAttribute);
    const realName = attribute(entry, 'displayName') || attribute(entry, 'cn');
    return {
      dn: entry.dn,
      userName,
      realName: realName === '' ? userName : realName,
      email: attribute(entry, 'mail') || attribute(entry, 'email'),
    };
  }

  #groups(session: LdapSession): LdapGroups | undefined {
    const { groups, baseDn } = this.#options;
    if (groups === undefined) return undefined;
    return new LdapGroups(session, { ...groups, baseDn: groups.baseDn === '' ? baseDn : groups.baseDn });
  }

  async #groupsOf(session: LdapSession, entry: Entry): Promise<readonly LdapGroup[] | undefined> {
    return this.#groups(session)?.groupsOf(entry);
  }
}
