import type { UserPrincipal } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { RegistryEvent } from '@vic/registry-api';
import type { Database } from '@vic/sql';
import { CveAllowlists } from '../cve-allowlists.ts';
import { ProjectAuthorizer } from '../project-authorizer.ts';
import { ProjectMembers } from '../project-members.ts';
import type { AccountDirectory, ProjectsDeps } from '../project-services.ts';
import { Projects } from '../projects.ts';

const USERS: readonly { readonly id: number; readonly name: string }[] = [
  { id: 1, name: 'admin' },
  { id: 2, name: 'alice' },
  { id: 3, name: 'bob' },
  { id: 4, name: 'carol' },
];
const GROUPS: readonly { readonly id: number; readonly name: string; readonly dn: string }[] = [
  { id: 11, name: 'builders', dn: 'cn=builders,dc=example' },
  { id: 12, name: 'testers', dn: 'cn=testers,dc=example' },
];

/** The packages around projects, as far as projects see them: four users, two groups, repositories by number. */
export interface TestWorld {
  readonly projects: Projects;
  readonly members: ProjectMembers;
  readonly allowlists: CveAllowlists;
  readonly authorizer: ProjectAuthorizer;
  readonly deps: ProjectsDeps;
  readonly events: RegistryEvent[];
  /** Storage limits by project. */
  readonly limits: Map<number, number>;
  /** How many repositories a project has. */
  readonly repositories: Map<number, number>;
  /** Turns the clock on. */
  readonly pass: (ms: number) => void;
}

/** A world on that database. */
export function testWorld(database: Database, options: Partial<ProjectsDeps> = {}): TestWorld {
  const events: RegistryEvent[] = [];
  const limits = new Map<number, number>();
  const repositories = new Map<number, number>();
  const clock = { nowMs: 1_700_000_000_000 };
  const now = (): number => clock.nowMs;
  const deps: ProjectsDeps = {
    database,
    accounts: testAccounts,
    contents: {
      repositoryCount: async (_executor, id) => repositories.get(id) ?? 0,
      repositoryCounts: async (ids) => new Map(ids.map((id) => [id, repositories.get(id) ?? 0])),
    },
    quotas: {
      create: async (_transaction, id, limit) => void limits.set(id, limit ?? -1),
      set: async (_transaction, id, limit) => void limits.set(id, limit),
      read: async (id) => ({ limitBytes: limits.get(id) ?? -1, usedBytes: 0 }),
    },
    registries: {
      check: async (id) => {
        if (id === 7) return;
        throw new VicError({ class: 'InvalidArgument', code: 'NO_REGISTRY', message: `no registry ${id}` });
      },
      describe: async (id) => ({ id, name: 'hub' }),
    },
    appendEvent: async (_transaction, event) => void events.push(event),
    now,
    ...options,
  };
  const members = new ProjectMembers({ database, accounts: testAccounts, now });
  return {
    projects: new Projects(deps),
    members,
    allowlists: new CveAllowlists({ database, now }),
    authorizer: new ProjectAuthorizer(members),
    deps,
    events,
    limits,
    repositories,
    pass: (ms) => void (clock.nowMs += ms),
  };
}

/** A user of {@link testWorld}, signed in. */
export function userNamed(name: string, changes: Partial<UserPrincipal> = {}): UserPrincipal {
  const user = USERS.find((candidate) => candidate.name === name);
  if (user === undefined) throw new Error(`no user ${name}`);
  return { kind: 'user', ...user, systemAdministrator: name === 'admin', groupIds: [], ...changes };
}

const findUser: AccountDirectory['findUser'] = async (reference) =>
  USERS.find((user) => ('id' in reference ? user.id === reference.id : user.name === reference.name));

const testAccounts: AccountDirectory = {
  findUser,
  findKnownUser: findUser,
  findGroup: async (reference) =>
    GROUPS.find((group) => {
      if ('id' in reference) return group.id === reference.id;
      return 'ldapDn' in reference ? group.dn === reference.ldapDn : group.name === reference.name;
    }),
  userNames: async (ids) => new Map(USERS.filter(({ id }) => ids.includes(id)).map(({ id, name }) => [id, name])),
  groupNames: async (ids) => new Map(GROUPS.filter(({ id }) => ids.includes(id)).map(({ id, name }) => [id, name])),
  firstAdministrator: async () => ({ id: 1, name: 'admin' }),
};
