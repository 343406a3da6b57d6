import { VicError } from '@vic/errors';
import type { PasswordHasher } from '../credentials/password-hash.ts';
import { randomSecret } from '../credentials/random-secret.ts';
import { requireAcceptableSecret } from '../credentials/secret-rules.ts';
import type { LoginGuard } from '../protection/login-guard.ts';
import { HARBOR_ROBOT_PREFIX } from '../robots/robot-name.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { IdentitySettings } from '../sources/identity-configuration.ts';
import { type NewUser, type User, type UserProfile, nameKey } from './user.ts';
import { requireProfile, requireUserName } from './user-rules.ts';
import { type UserStore, noSuchUser } from './user-store.ts';

/** What {@link LocalUsers} is composed of. */
export interface LocalUsersDeps {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly hasher: PasswordHasher;
  readonly guard: LoginGuard;
  readonly settings: IdentitySettings;
}

/** A password that was drawn for someone, to be shown once. */
export interface GivenPassword {
  readonly name: string;
  readonly password: string;
}

const ADMINISTRATOR = 'admin';
const GIVEN_PASSWORD_LENGTH = 20;

/** Users whose passwords are kept here. */
export class LocalUsers {
  readonly #deps: LocalUsersDeps;

  constructor(deps: LocalUsersDeps) {
    this.#deps = deps;
  }

  /** Makes a user. */
  async create(user: NewUser): Promise<User> {
    requireAcceptableSecret(user.password);
    requireProfile(user);
    const { robotNamePrefix } = await this.#deps.settings.current();
    requireUserName(user.name, [robotNamePrefix, HARBOR_ROBOT_PREFIX]);
    return this.#insert(user, false);
  }

  /** Makes the first user, an administrator with a random password; nothing when there are users already. */
  async ensureAdministrator(): Promise<GivenPassword | undefined> {
    if (!(await this.#deps.users.isEmpty())) return undefined;
    const password = randomSecret(GIVEN_PASSWORD_LENGTH);
    const profile = { email: 'admin@example.com', realName: 'system admin', comment: 'admin user' };
    try {
      const { name } = await this.#insert({ name: ADMINISTRATOR, password, ...profile }, true);
      return { name, password };
    } catch (error) {
      // Another process was first; its caller has the password.
      if (!(await this.#deps.users.isEmpty())) return undefined;
      throw error;
    }
  }

  /** Replaces what others see of a user; an outside source's users are as the source says. */
  async updateProfile(id: number, profile: UserProfile): Promise<User> {
    const user = await this.#deps.users.get(id);
    if (user.source !== 'local') throw keptElsewhere(user);
    requireProfile(profile);
    await this.#deps.users.updateProfile(id, profile);
    return user;
  }

  /** Replaces a password and ends the user's sessions, but for the one whose cookie is given. */
  async changePassword(id: number, password: string, exceptSession?: string): Promise<void> {
    const user = await this.#deps.users.get(id);
    if (user.source !== 'local') throw keptElsewhere(user);
    requireAcceptableSecret(password);
    const hash = (await this.#deps.users.secretsByName(user.name))?.passwordHash;
    if (hash !== undefined && (await this.#deps.hasher.verify(password, hash))) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'PASSWORD_UNCHANGED',
        message: 'New password is identical to old password',
      });
    }
    await this.#deps.users.setPasswordHash(id, await this.#deps.hasher.hashChosen(password));
    await this.#deps.sessions.endAll(id, exceptSession);
    await this.#deps.guard.forgive(`user:${nameKey(user.name)}`);
  }

  /** Gives a local user a random password; for administrators who have lost theirs. */
  async resetPassword(name: string): Promise<GivenPassword> {
    const user = await this.#deps.users.findByName(name);
    if (user === undefined) throw noSuchUser(name);
    const password = randomSecret(GIVEN_PASSWORD_LENGTH);
    await this.changePassword(user.id, password);
    return { name: user.name, password };
  }

  async #insert(user: NewUser, systemAdministrator: boolean): Promise<User> {
    return this.#deps.users.insert({
      ...user,
      source: 'local',
      subject: null,
      passwordHash: await this.#deps.hasher.hashChosen(user.password),
      systemAdministrator,
      administratorBySource: false,
    });
  }
}

function keptElsewhere(user: User): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'USER_KEPT_ELSEWHERE',
    message: `User with ID ${user.id} can't be updated`,
    remedy: `It is kept by ${user.source === 'ldap' ? 'the LDAP directory' : 'the OIDC provider'}: change it there.`,
  });
}
