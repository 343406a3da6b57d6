import { VicError } from '@vic/errors';
import { GROUP_TYPES, type Group, groupTypeOf } from '../groups/group.ts';
import type { GroupStore } from '../groups/group-store.ts';
import type { IdentitySettings } from '../sources/identity-configuration.ts';
import { LdapSource } from '../sources/ldap-source.ts';
import type { Onboarding } from '../sources/onboarding.ts';
import type { User } from './user.ts';
import type { UserStore } from './user-store.ts';

/** What {@link Accounts} is composed of. */
export interface AccountsDeps {
  readonly users: UserStore;
  readonly groups: GroupStore;
  readonly onboarding: Onboarding;
  readonly settings: IdentitySettings;
}

/** Names a user. */
export type UserReference = { readonly id: number } | { readonly name: string };

/** Names a group. */
export type GroupReference =
  | { readonly id: number }
  | { readonly name: string; readonly type?: number }
  | { readonly ldapDn: string; readonly name?: string };

/** Users and groups as those see them who give them roles: known ones, and ones the directory knows. */
export class Accounts {
  readonly #deps: AccountsDeps;

  constructor(deps: AccountsDeps) {
    this.#deps = deps;
  }

  /** The user, when known here already: for questions that anybody may ask. */
  async findKnownUser(reference: UserReference): Promise<User | undefined> {
    return 'id' in reference ? this.#deps.users.find(reference.id) : this.#deps.users.findByName(reference.name);
  }

  /** The user; one whom only the LDAP directory knows is taken over. */
  async findUser(reference: UserReference): Promise<User | undefined> {
    const known = await this.findKnownUser(reference);
    if ('id' in reference) return known;
    const directory = known === undefined ? await this.#directory() : undefined;
    const found = await directory?.find(reference.name);
    return found === undefined ? known : this.#deps.onboarding.takeOver(found);
  }

  /** The group; one whom only the LDAP directory knows is taken over. */
  async findGroup(reference: GroupReference): Promise<Group | undefined> {
    if ('id' in reference) return this.#deps.groups.find(reference.id);
    if ('ldapDn' in reference) return this.#ldapGroup(reference.ldapDn, reference.name);
    const type = reference.type === undefined || reference.type === 0 ? undefined : groupTypeOf(reference.type);
    const known = await this.#deps.groups.findByName(reference.name, type);
    if (known !== undefined || type !== GROUP_TYPES.oidc) return known;
    // A provider cannot be asked for its groups: the name counts when it comes in a token.
    return this.#deps.groups.ensure({ name: reference.name, type, ldapDn: '' });
  }

  /** Names of users by id; those that are gone are left out. */
  async userNames(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return this.#deps.users.names(ids);
  }

  /** Names of groups by id; those that are gone are left out. */
  async groupNames(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return this.#deps.groups.names(ids);
  }

  /** The system administrator who was first. */
  async firstAdministrator(): Promise<User> {
    const user = await this.#deps.users.firstAdministrator();
    if (user !== undefined) return user;
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'ADMINISTRATOR_MISSING',
      message: 'There is no system administrator.',
    });
  }

  async #ldapGroup(dn: string, name: string | undefined): Promise<Group | undefined> {
    const known = await this.#deps.groups.findLike({ type: GROUP_TYPES.ldap, name: '', ldapDn: dn });
    if (known !== undefined) return known;
    const [found] = (await (await this.#directory())?.searchGroups('', dn, 1)) ?? [];
    if (found === undefined) return undefined;
    return this.#deps.groups.ensure({ type: GROUP_TYPES.ldap, name: name ?? found.name, ldapDn: found.dn });
  }

  async #directory(): Promise<LdapSource | undefined> {
    const { authMode, ldap } = await this.#deps.settings.current();
    return authMode === 'ldap_auth' && ldap !== undefined ? new LdapSource(ldap) : undefined;
  }
}
