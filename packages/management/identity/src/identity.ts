import type { Principal } from '@vic/authz';
import type { Credentials } from '@vic/rest';
import type { SecretBox } from '@vic/secrets';
import type { Database, Executor } from '@vic/sql';
import { PasswordAuthenticator } from './authentication/password-authenticator.ts';
import { Principals } from './authentication/principals.ts';
import { RequestAuthenticator } from './authentication/request-authenticator.ts';
import { type PasswordCost, PasswordHasher } from './credentials/password-hash.ts';
import type { ProjectLookup } from './grants/project-lookup.ts';
import { GroupStore } from './groups/group-store.ts';
import { LoginGuard } from './protection/login-guard.ts';
import { RobotStore } from './robots/robot-store.ts';
import { Robots } from './robots/robots.ts';
import type { CookieSettings } from './sessions/session-cookie.ts';
import { SessionStore } from './sessions/session-store.ts';
import type { IdentitySettings } from './sources/identity-configuration.ts';
import { OidcSignIn } from './sources/oidc-sign-in.ts';
import { OidcSource } from './sources/oidc-source.ts';
import { Onboarding } from './sources/onboarding.ts';
import { AccessTokenStore } from './tokens/access-token-store.ts';
import { Accounts } from './users/accounts.ts';
import { LocalUsers } from './users/local-users.ts';
import { UserStore } from './users/user-store.ts';

/** What {@link Identity} is composed of. */
export interface IdentityDeps {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly settings: IdentitySettings;
  readonly projects: ProjectLookup;
  /** How browsers reach this server, for the way back from a provider: `https://registry.example.com`. */
  readonly externalUrl: string;
  /** Where the routes of identity are registered. */
  readonly apiPrefix: string;
  /** The present time; the clock's when absent. */
  readonly clock?: () => number;
  /** What hashing a password costs; about 100 ms when absent. */
  readonly passwordCost?: PasswordCost;
}

/** Who is who: users, groups, robots, sessions, access tokens, and the outside sources of users. */
export class Identity implements AsyncDisposable {
  readonly users: UserStore;
  readonly localUsers: LocalUsers;
  readonly groups: GroupStore;
  /** Users and groups for those who give them roles. */
  readonly accounts: Accounts;
  readonly robots: Robots;
  readonly robotStore: RobotStore;
  readonly tokens: AccessTokenStore;
  readonly sessions: SessionStore;
  readonly onboarding: Onboarding;
  readonly oidc: OidcSignIn;
  readonly passwords: PasswordAuthenticator;
  readonly guard: LoginGuard;
  readonly hasher: PasswordHasher;
  readonly settings: IdentitySettings;
  readonly projects: ProjectLookup;
  readonly database: Database;
  readonly cookies: CookieSettings;
  readonly externalUrl: string;
  readonly clock: () => number;
  readonly #principals: Principals;
  readonly #requests: RequestAuthenticator;
  readonly #oidcSource: OidcSource;

  constructor(deps: IdentityDeps) {
    const { database, secrets, settings, projects } = deps;
    const clock = deps.clock ?? Date.now;
    this.settings = settings;
    this.projects = projects;
    this.database = database;
    this.clock = clock;
    this.externalUrl = deps.externalUrl.replace(/\/$/, '');
    this.cookies = { secure: this.externalUrl.startsWith('https:') };
    this.hasher = new PasswordHasher(deps.passwordCost);
    this.users = new UserStore(database, clock);
    this.groups = new GroupStore(database, clock);
    this.robotStore = new RobotStore(database, clock);
    this.tokens = new AccessTokenStore(database, clock);
    this.sessions = new SessionStore(database, clock);
    this.guard = new LoginGuard(database, clock);
    this.onboarding = new Onboarding(this);
    this.accounts = new Accounts(this);
    this.robots = new Robots({ store: this.robotStore, hasher: this.hasher, projects, settings });
    this.localUsers = new LocalUsers({ ...this.#stores(), guard: this.guard });
    this.#principals = new Principals({ ...this.#stores(), groups: this.groups, robots: this.robotStore });
    this.passwords = new PasswordAuthenticator({
      ...this.#stores(),
      robots: this.robotStore,
      tokens: this.tokens,
      guard: this.guard,
      onboarding: this.onboarding,
      principals: this.#principals,
    });
    this.#requests = new RequestAuthenticator({
      ...this.#stores(),
      principals: this.#principals,
      passwords: this.passwords,
      cookies: this.cookies,
    });
    this.#oidcSource = new OidcSource(`${this.externalUrl}${deps.apiPrefix}/oidc/callback`, clock);
    this.oidc = new OidcSignIn({
      ...this.#stores(),
      database,
      secrets,
      source: this.#oidcSource,
      onboarding: this.onboarding,
    });
  }

  /** Who makes a request: what `@vic/rest` asks for. */
  async authenticate(credentials: Credentials): Promise<Principal> {
    return this.#requests.authenticate(credentials);
  }

  /** Who signs in with that name and secret (password, CLI secret, access token, robot's secret). */
  async verifyPassword(name: string, secret: string, address: string): Promise<Principal> {
    return this.passwords.verify(name, secret, address);
  }

  /** The principal as it is now, for tokens that outlive a request; `undefined` when it may no longer be used. */
  async renewPrincipal(principal: Principal): Promise<Principal | undefined> {
    return this.#principals.renew(principal);
  }

  /** What goes with a project, in the transaction that removes it. */
  async projectDeleted(transaction: Executor, projectId: number): Promise<void> {
    await this.robotStore.removeOfProject(transaction, projectId);
  }

  /** Removes what has ended: sessions, failures, sign-ins under way, robots for tasks. To be called now and then. */
  async prune(): Promise<void> {
    const { sessionIdleMinutes } = await this.settings.current();
    await this.sessions.prune(sessionIdleMinutes * 60_000);
    await this.guard.prune();
    await this.robotStore.prune();
    await this.oidc.prune();
  }

  /** Closes the connections to outside sources. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#oidcSource[Symbol.asyncDispose]();
  }

  #stores(): {
    readonly users: UserStore;
    readonly sessions: SessionStore;
    readonly hasher: PasswordHasher;
    readonly settings: IdentitySettings;
    readonly projects: ProjectLookup;
    readonly clock: () => number;
  } {
    const { users, sessions, hasher, settings, projects, clock } = this;
    return { users, sessions, hasher, settings, projects, clock };
  }
}
