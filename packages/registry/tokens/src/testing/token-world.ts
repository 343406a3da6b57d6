import { randomBytes } from 'node:crypto';
import { ANONYMOUS, type Permission, type Principal, type RobotPrincipal, type UserPrincipal } from '@vic/authz';
import { VicError } from '@vic/errors';
import { ProjectAuthorizer, ProjectMembers, Projects, visibleProjectIds } from '@vic/projects';
import type { Credentials } from '@vic/rest';
import { SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import {
  AccessTokens,
  BearerAccounts,
  NotaryAccess,
  RefreshTokens,
  RegistryAccess,
  ScopeAccess,
  type TokenIdentity,
  TokenKeys,
  TokenService,
} from '../index.ts';

/** Every account's password in a {@link TokenWorld}. */
export const PASSWORD = 'Correct1horse';

const PULL: Permission = { resource: 'repository', action: 'pull' };
const EVERYTHING: readonly Permission[] = [PULL, { resource: 'repository', action: 'scanner-pull' }];

/** Accounts that can be changed while a test runs; the password of each is {@link PASSWORD}. */
export class TestIdentity implements TokenIdentity {
  readonly accounts = new Map<string, UserPrincipal | RobotPrincipal>([
    ['admin', { kind: 'user', id: 1, name: 'admin', systemAdministrator: true, groupIds: [] }],
    ['alice', { kind: 'user', id: 2, name: 'alice', systemAdministrator: false, groupIds: [] }],
    ['bob', { kind: 'user', id: 3, name: 'bob', systemAdministrator: false, groupIds: [] }],
    [
      'robot$team+ci',
      {
        kind: 'robot',
        id: 9,
        name: 'robot$team+ci',
        grants: [{ scope: { kind: 'project', project: 'team' }, permissions: EVERYTHING }],
      },
    ],
  ]);
  readonly disabled = new Set<string>();

  async authenticate({ authorization }: Credentials): Promise<Principal> {
    if (authorization === undefined) return ANONYMOUS;
    const [name = '', password] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':');
    const account = this.accounts.get(name);
    if (account !== undefined && password === PASSWORD && !this.disabled.has(name)) return account;
    throw new VicError({ class: 'Unauthenticated', code: 'WRONG', message: 'wrong name or password' });
  }

  async renewPrincipal(principal: Principal): Promise<Principal | undefined> {
    if (principal.kind === 'anonymous') return principal;
    const account = [...this.accounts.values()].find(({ kind, id }) => kind === principal.kind && id === principal.id);
    return account === undefined || this.disabled.has(account.name) ? undefined : account;
  }
}

/** Gives the database the users of {@link TestIdentity}, with passwords that can be changed. */
export async function addUsers(database: Database): Promise<void> {
  for (const name of ['admin', 'alice', 'bob']) {
    await database.db
      .insertInto('users')
      .values({
        name,
        name_key: name,
        source: 'local',
        email: '',
        real_name: '',
        comment: '',
        system_administrator: 0,
        administrator_by_source: 0,
        password_hash: 'first',
        created_at_ms: 0,
        updated_at_ms: 0,
      })
      .execute();
  }
}

/** The token service and what it stands on, over a database. */
export interface TokenWorld {
  readonly identity: TestIdentity;
  readonly projects: Projects;
  readonly members: ProjectMembers;
  readonly keys: TokenKeys;
  readonly tokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly service: TokenService;
  readonly registry: RegistryAccess;
  readonly notary: NotaryAccess;
  /** Turns the clock on. */
  readonly pass: (ms: number) => void;
}

const secrets = new SecretBox(randomBytes(32));

/** A world on that database; several on one database share keys and accounts' ids. */
export function tokenWorld(database: Database): TokenWorld {
  const clock = { nowMs: Date.now() };
  const now = (): number => clock.nowMs;
  const identity = new TestIdentity();
  const projects = testProjects(database, now);
  const members = new ProjectMembers({ database, accounts: noAccounts, now });
  const keys = new TokenKeys({ database, secrets, now });
  const tokens = new AccessTokens({ keys, tokenExpirationMinutes: async () => 30, now });
  const access = new ScopeAccess({ authorizer: new ProjectAuthorizer(members), projects });
  const accounts = new BearerAccounts({ identity, now });
  const shared = {
    tokens,
    accounts,
    access,
    identity,
    externalUrl: 'https://registry.example:8443',
    visibleProjects: async (principal: Principal) => visibleProjectIds(database.db, principal),
  };
  return {
    identity,
    projects,
    members,
    keys,
    tokens,
    refreshTokens: new RefreshTokens({ database, identity, now }),
    service: new TokenService({ tokens, access }),
    registry: new RegistryAccess(shared),
    notary: new NotaryAccess(shared),
    pass: (ms) => void (clock.nowMs += ms),
  };
}

/** The value of `Authorization` with the account's password. */
export function basic(name: string, password = PASSWORD): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

const findAnyone = async (reference: object): Promise<{ id: number; name: string } | undefined> =>
  'id' in reference ? { id: Number(reference.id), name: 'someone' } : undefined;

const noAccounts = {
  findUser: findAnyone,
  findKnownUser: findAnyone,
  findGroup: async () => undefined,
  userNames: async () => new Map<number, string>(),
  groupNames: async () => new Map<number, string>(),
  firstAdministrator: async () => ({ id: 1, name: 'admin' }),
};

function testProjects(database: Database, now: () => number): Projects {
  return new Projects({
    database,
    accounts: noAccounts,
    contents: { repositoryCount: async () => 0, repositoryCounts: async () => new Map() },
    quotas: {
      create: async () => undefined,
      set: async () => undefined,
      read: async () => ({ limitBytes: -1, usedBytes: 0 }),
    },
    registries: { check: async () => undefined, describe: async () => undefined },
    appendEvent: async () => undefined,
    now,
  });
}
