import type { Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { PasswordHasher } from '../credentials/password-hash.ts';
import { liveGrants } from '../grants/stored-grants.ts';
import type { ProjectLookup } from '../grants/project-lookup.ts';
import type { LoginGuard } from '../protection/login-guard.ts';
import { wrongCredentials } from '../protection/sign-in-refused.ts';
import { type Robot, isExpired } from '../robots/robot.ts';
import { storedNameFrom } from '../robots/robot-name.ts';
import type { RobotStore } from '../robots/robot-store.ts';
import type { IdentityConfiguration, IdentitySettings } from '../sources/identity-configuration.ts';
import { LdapSource } from '../sources/ldap-source.ts';
import type { Onboarding } from '../sources/onboarding.ts';
import { type AccessTokenStore, isAccessToken } from '../tokens/access-token-store.ts';
import { type User, nameKey } from '../users/user.ts';
import type { UserSecrets, UserStore } from '../users/user-store.ts';
import { GuardedVerification, type Verification } from './guarded-verification.ts';
import type { Principals } from './principals.ts';

/** What {@link PasswordAuthenticator} is composed of. */
export interface PasswordAuthenticatorDeps {
  readonly users: UserStore;
  readonly robots: RobotStore;
  readonly tokens: AccessTokenStore;
  readonly hasher: PasswordHasher;
  readonly guard: LoginGuard;
  readonly onboarding: Onboarding;
  readonly principals: Principals;
  readonly projects: ProjectLookup;
  readonly settings: IdentitySettings;
  readonly clock: () => number;
}

const MAX_NAME_LENGTH = 512;
const MAX_SECRET_LENGTH = 1024;
/** How long a right secret is not verified again; a changed one ends it at once. */
const VERIFIED_FOR_MS = 5 * 60_000;
/** A password changed in the directory is noticed after this. */
const DIRECTORY_VERIFIED_FOR_MS = 60_000;

/** Verifies names and secrets: passwords, CLI secrets, access tokens, robots' secrets. */
export class PasswordAuthenticator {
  readonly #deps: PasswordAuthenticatorDeps;
  readonly #local: GuardedVerification;
  readonly #directory: GuardedVerification;

  constructor(deps: PasswordAuthenticatorDeps) {
    this.#deps = deps;
    this.#local = new GuardedVerification(deps.guard, VERIFIED_FOR_MS, deps.clock);
    this.#directory = new GuardedVerification(deps.guard, DIRECTORY_VERIFIED_FOR_MS, deps.clock);
  }

  /** Who signs in with that name and secret from that address; throws `Unauthenticated` when they are wrong. */
  async verify(name: string, secret: string, address: string): Promise<Principal> {
    if (name === '' || name.length > MAX_NAME_LENGTH || secret === '' || secret.length > MAX_SECRET_LENGTH) {
      throw wrongCredentials();
    }
    if (isAccessToken(secret)) return this.verifyToken(secret, name);
    const configuration = await this.#deps.settings.current();
    const robotName = storedNameFrom(name, configuration.robotNamePrefix);
    const robot = robotName === undefined ? undefined : await this.#deps.robots.findByName(robotName);
    if (robot !== undefined) return this.#robot(robot, name, secret, address);
    const user = await this.verifyPerson(name, secret, address);
    return this.#deps.principals.ofUser(user);
  }

  /** The user with that name and password, CLI secrets included; no robot and no token. */
  async verifyPerson(name: string, secret: string, address: string): Promise<User> {
    const configuration = await this.#deps.settings.current();
    const found = await this.#deps.users.secretsByName(name);
    const attempt = { account: `user:${nameKey(name)}`, address, userId: found?.user.id };
    if (isDirectoryUser(found, configuration)) {
      return this.#directory.run(this.#byDirectory(found, configuration, { attempt, secret, name }));
    }
    return this.#local.run(this.#byHash(found, configuration, { attempt, secret }));
  }

  /** Who holds the access token; with `name`, only when it is that user's. */
  async verifyToken(secret: string, name?: string): Promise<Principal> {
    const token = isAccessToken(secret) ? await this.#deps.tokens.find(secret) : undefined;
    const user = token === undefined ? undefined : await this.#deps.users.find(token.userId);
    if (token === undefined || user === undefined) throw wrongCredentials();
    if (name !== undefined && nameKey(name) !== nameKey(user.name)) throw wrongCredentials();
    if (token.expiresAtMs <= this.#deps.clock()) throw expired(`access token ${token.name}`, token.expiresAtMs);
    await this.#deps.tokens.touch(token);
    const grants = token.grants === undefined ? undefined : await liveGrants(token.grants, this.#deps.projects);
    return this.#deps.principals.ofUser(user, grants);
  }

  /** Why a robot cannot sign in is told to those only who know its secret. */
  async #robot(robot: Robot, name: string, secret: string, address: string): Promise<Principal> {
    const { hasher, robots, principals, clock } = this.#deps;
    await this.#local.run({
      attempt: { account: `robot:${robot.name}`, address, userId: undefined },
      secret,
      known: { against: robot.secretHash, result: robot },
      verify: async () =>
        (await hasher.verify(secret, robot.secretHash, address))
          ? { against: robot.secretHash, result: robot }
          : undefined,
    });
    if (robot.disabled) {
      throw new VicError({
        class: 'Unauthenticated',
        code: 'ROBOT_DISABLED',
        message: `unauthorized: robot account ${name} is disabled`,
      });
    }
    if (isExpired(robot, clock())) throw expired(`robot account ${name}`, robot.expiresAtMs);
    await robots.touch(robot);
    return principals.ofRobot(robot);
  }

  #byHash(
    found: UserSecrets | undefined,
    configuration: IdentityConfiguration,
    { attempt, secret }: Pick<Verification<User>, 'attempt' | 'secret'>,
  ): Verification<User> {
    const { hasher } = this.#deps;
    const hash = found === undefined ? undefined : hashOf(found, configuration);
    if (found === undefined || hash === undefined) {
      return { attempt, secret, verify: async () => hasher.verifyNothing(secret, attempt.address) };
    }
    return {
      attempt,
      secret,
      known: { against: hash, result: found.user },
      verify: async () => {
        if (!(await hasher.verify(secret, hash, attempt.address))) return undefined;
        return { against: await this.#current(found.user, secret, hash), result: found.user };
      },
    };
  }

  /** The hash from now on: an old one is replaced while the password is at hand. */
  async #current(user: User, secret: string, hash: string): Promise<string> {
    if (user.source !== 'local' || !this.#deps.hasher.isOutdated(hash)) return hash;
    const rehashed = await this.#deps.hasher.hashChosen(secret);
    await this.#deps.users.rehash(user.id, hash, rehashed);
    return rehashed;
  }

  #byDirectory(
    found: UserSecrets | undefined,
    { ldap }: IdentityConfiguration,
    { attempt, secret, name }: Pick<Verification<User>, 'attempt' | 'secret'> & { readonly name: string },
  ): Verification<User> {
    return {
      attempt,
      secret,
      ...(found === undefined ? {} : { known: { against: `ldap:${found.user.id}`, result: found.user } }),
      verify: async () => {
        const signIn = ldap === undefined ? undefined : await new LdapSource(ldap).signIn(name, secret);
        if (signIn === undefined) return undefined;
        const user = await this.#deps.onboarding.signedIn(signIn);
        return { against: `ldap:${user.id}`, result: user };
      },
    };
  }
}

/** Local users stay local in every mode: the first administrator must be able to correct the configuration. */
function isDirectoryUser(found: UserSecrets | undefined, { authMode, ldap }: IdentityConfiguration): boolean {
  return authMode === 'ldap_auth' && ldap !== undefined && (found === undefined || found.user.source === 'ldap');
}

function hashOf(
  { user, passwordHash, cliSecretHash }: UserSecrets,
  { authMode }: IdentityConfiguration,
): string | undefined {
  switch (user.source) {
    case 'local':
      return passwordHash;
    case 'oidc':
      return authMode === 'oidc_auth' ? cliSecretHash : undefined;
    case 'ldap':
      return undefined;
  }
}

function expired(what: string, atMs: number): VicError {
  return new VicError({
    class: 'Unauthenticated',
    code: 'CREDENTIALS_EXPIRED',
    message: `unauthorized: ${what} expired on ${new Date(atMs).toISOString()}`,
    remedy: 'Ask for a new one.',
  });
}
