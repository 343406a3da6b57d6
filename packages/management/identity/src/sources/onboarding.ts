import { VicError } from '@vic/errors';
import { GROUP_TYPES } from '../groups/group.ts';
import type { GroupStore } from '../groups/group-store.ts';
import type { SourceUser, User } from '../users/user.ts';
import { requireUserName } from '../users/user-rules.ts';
import type { UserStore } from '../users/user-store.ts';
import type { SourceSignIn } from './ldap-source.ts';

/** What {@link Onboarding} is composed of. */
export interface OnboardingDeps {
  readonly users: UserStore;
  readonly groups: GroupStore;
}

const COMMENTS = { ldap: 'from LDAP.', oidc: 'Onboarded via OIDC provider' } as const;

/** Takes users of outside sources over: the first time as new users, then with what has changed. */
export class Onboarding {
  readonly #users: UserStore;
  readonly #groups: GroupStore;

  constructor({ users, groups }: OnboardingDeps) {
    this.#users = users;
    this.#groups = groups;
  }

  /** The user here of someone a source has just vouched for; groups become as the source says. */
  async signedIn({ user, groups }: SourceSignIn): Promise<User> {
    const known = await this.find(user);
    if (known !== undefined) await this.#users.updateFromSource(known.id, user);
    const here = known ?? (await this.#make(user));
    if (groups !== undefined) await this.#groups.synchronize(here.id, GROUP_TYPES[user.source], groups);
    await this.#users.touch(here.id);
    return this.#users.get(here.id);
  }

  /** Takes a user over before the first sign-in, so that roles can be given. */
  async takeOver(user: SourceUser): Promise<User> {
    return (await this.find(user)) ?? this.#make(user);
  }

  /** The user here, by the source's key; in LDAP, where keys change with moves, also by name. */
  async find(user: SourceUser): Promise<User | undefined> {
    const bySubject = await this.#users.findBySubject(user.source, user.subject);
    if (bySubject !== undefined || user.source !== 'ldap') return bySubject;
    const byName = await this.#users.findByName(user.name);
    return byName?.source === 'ldap' ? byName : undefined;
  }

  async #make(user: SourceUser): Promise<User> {
    requireUserName(user.name, []);
    try {
      return await this.#insert(user);
    } catch (error) {
      // Another request of the user's, here or at another process, was first.
      const made = await this.find(user);
      if (made === undefined) throw error;
      return made;
    }
  }

  async #insert(user: SourceUser): Promise<User> {
    const taken = await this.#users.findByName(user.name);
    if (taken !== undefined) throw nameTaken(user.name);
    return this.#users.insert({
      name: user.name,
      source: user.source,
      subject: user.subject,
      email: user.email,
      realName: user.realName === '' ? user.name : user.realName,
      comment: COMMENTS[user.source],
      passwordHash: null,
      systemAdministrator: false,
      administratorBySource: user.administrator,
    });
  }
}

/** Accounts of one name at two sources are two people until an administrator says otherwise. */
function nameTaken(name: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'USER_NAME_TAKEN',
    message: `The user name ${name} belongs to another account here.`,
    remedy: 'Choose another name, or let an administrator remove the other account.',
  });
}
