import type { Entry } from 'ldapts';
import { allOf, anyOf, attributeName, contains, equals, isUnder, normalizeDn } from './ldap-names.ts';
import type { LdapGroupOptions } from './ldap-options.ts';
import { type LdapSession, attribute, attributeValues } from './ldap-session.ts';

/** A group of the directory. */
export interface LdapGroup {
  readonly dn: string;
  readonly name: string;
}

/** Groups of groups deeper than this are a mistake in the directory. */
const MAX_DEPTH = 10;
const MAX_GROUPS = 1000;
/** How many names one filter asks for. */
const NAMES_PER_FILTER = 50;

/** The group lookups of one connection. */
export class LdapGroups {
  readonly #session: LdapSession;
  readonly #options: LdapGroupOptions;

  constructor(session: LdapSession, options: LdapGroupOptions) {
    this.#session = session;
    this.#options = options;
  }

  /**
   * Every group the entry belongs to, directly or through groups.
   *
   * Both ways directories say it are followed: the membership attribute of the member, and the member lists of
   * groups. Groups that do not match the filter, or lie outside of the base, do not count, but are passed through.
   */
  async groupsOf(entry: Entry): Promise<readonly LdapGroup[]> {
    const found = new Map<string, LdapGroup>();
    const seen = new Set([normalizeDn(entry.dn)]);
    let frontier: readonly Entry[] = [entry];
    for (let depth = 0; depth < MAX_DEPTH && frontier.length > 0 && seen.size < MAX_GROUPS; depth++) {
      const parents = [...(await this.#listing(frontier)), ...(await this.#listedBy(frontier))];
      frontier = parents.filter((parent) => !seen.has(normalizeDn(parent.dn)) && seen.add(normalizeDn(parent.dn)));
      for (const group of await this.#counting(frontier)) found.set(normalizeDn(group.dn), group);
    }
    return [...found.values()];
  }

  /** Groups whose name contains the text. */
  async search(text: string, limit: number): Promise<readonly LdapGroup[]> {
    const filter = allOf(this.#options.filter, contains(this.#nameAttribute, text));
    const entries = await this.#session.search(this.#options.baseDn, limit, {
      scope: this.#options.scope,
      filter,
      attributes: [this.#nameAttribute],
    });
    return entries.map((entry) => this.#groupOf(entry));
  }

  /** The group with that name, when it counts as one. */
  async find(dn: string): Promise<LdapGroup | undefined> {
    if (!isUnder(dn, this.#options.baseDn)) return undefined;
    const entries = await this.#read(dn, allOf(this.#options.filter));
    return entries[0] === undefined ? undefined : this.#groupOf(entries[0]);
  }

  /** The groups whose member lists name one of the entries. */
  async #listing(members: readonly Entry[]): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (let start = 0; start < members.length; start += NAMES_PER_FILTER) {
      const names = members.slice(start, start + NAMES_PER_FILTER);
      entries.push(
        ...(await this.#session.search(this.#options.baseDn, MAX_GROUPS, {
          scope: this.#options.scope,
          filter: anyOf(names.flatMap(({ dn }) => [equals('member', dn), equals('uniqueMember', dn)])),
          attributes: this.#attributes,
        })),
      );
    }
    return entries;
  }

  /** The groups that the entries themselves list. */
  async #listedBy(members: readonly Entry[]): Promise<readonly Entry[]> {
    const { membershipAttribute } = this.#options;
    if (membershipAttribute === '') return [];
    const names = new Set(members.flatMap((member) => attributeValues(member, membershipAttribute)));
    const entries: Entry[] = [];
    for (const dn of [...names].slice(0, MAX_GROUPS)) entries.push(...(await this.#read(dn, '(objectClass=*)')));
    return entries;
  }

  async #counting(entries: readonly Entry[]): Promise<readonly LdapGroup[]> {
    const groups: LdapGroup[] = [];
    for (const entry of entries) {
      const group = this.#options.filter === '' ? this.#within(entry) : await this.find(entry.dn);
      if (group !== undefined) groups.push(group);
    }
    return groups;
  }

  #within(entry: Entry): LdapGroup | undefined {
    return isUnder(entry.dn, this.#options.baseDn) ? this.#groupOf(entry) : undefined;
  }

  /** One entry by name; none when it is gone. */
  async #read(dn: string, filter: string): Promise<readonly Entry[]> {
    try {
      return await this.#session.search(dn, 1, { scope: 'base', filter, attributes: this.#attributes });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'LDAP_NO_SUCH_ENTRY') return [];
      throw error;
    }
  }

  get #nameAttribute(): string {
    return attributeName(this.#options.nameAttribute === '' ? 'cn' : this.#options.nameAttribute);
  }

  get #attributes(): string[] {
    const { membershipAttribute } = this.#options;
    return [this.#nameAttribute, ...(membershipAttribute === '' ? [] : [attributeName(membershipAttribute)])];
  }

  #groupOf(entry: Entry): LdapGroup {
    const name = attribute(entry, this.#nameAttribute);
    return { dn: entry.dn, name: name === '' ? entry.dn : name };
  }
}
