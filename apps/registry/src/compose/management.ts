import { appendEvent } from '@vic/events';
import { Identity, identityConfiguration } from '@vic/identity';
import { Jobs, Schedules } from '@vic/jobs';
import {
  CveAllowlists,
  ProjectAuthorizer,
  ProjectMembers,
  ProjectPresenter,
  type ProjectQuotas,
  Projects,
  type ProjectsDeps,
  type ProxyRegistries,
} from '@vic/projects';
import { Settings, type SettingsCheck } from '@vic/settings';
import type { Database } from '@vic/sql';
import { ProjectRepositoryCounts } from '@vic/catalog';
import { API_PREFIX } from '../api-prefix.ts';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';

/** Projects and people, and what every part of the program shares. */
export interface Management extends AsyncDisposable {
  readonly settings: Settings;
  readonly identity: Identity;
  readonly projects: Projects;
  readonly members: ProjectMembers;
  readonly authorizer: ProjectAuthorizer;
  readonly allowlists: CveAllowlists;
  readonly contents: ProjectRepositoryCounts;
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  /** Projects as the REST API shows them. */
  readonly presenter: ProjectPresenter;
}

/** What is composed later than projects, and asked by them. */
export interface LaterParts {
  /** Refuse values that other parts cannot work with. */
  readonly settingChecks: readonly SettingsCheck[];
  readonly quotas: ProjectQuotas;
  readonly registries: ProxyRegistries;
  readonly onProjectDeleted: NonNullable<ProjectsDeps['onDelete']>;
  readonly metadataKeys: NonNullable<ProjectsDeps['metadataKeys']>;
}

/** Composes identity, projects, settings and jobs. */
export function composeManagement(
  configuration: RegistryConfiguration,
  { database, secrets }: Storage,
  later: LaterParts,
): Management {
  const overrides = Object.keys(configuration.settings).length === 0 ? {} : { overrides: configuration.settings };
  const settings = new Settings({
    database,
    secrets,
    ...overrides,
    checks: later.settingChecks,
    canChangeAuthMode: async () => isOneUser(database),
  });
  const identity: Identity = new Identity({
    database,
    secrets,
    settings: { current: async () => identityConfiguration(await settings.values()) },
    projects: { findProject: async (nameOrId, isName) => projects.find(nameOrId, isName) },
    externalUrl: configuration.externalUrl,
    apiPrefix: API_PREFIX,
  });
  const contents = new ProjectRepositoryCounts(database);
  const projects: Projects = new Projects({
    database,
    accounts: identity.accounts,
    contents,
    quotas: later.quotas,
    registries: later.registries,
    appendEvent,
    onDelete: [
      async (transaction, project) => identity.projectDeleted(transaction, project.id),
      ...later.onProjectDeleted,
    ],
    metadataKeys: later.metadataKeys,
  });
  const { accounts } = identity;
  const members = new ProjectMembers({ database, accounts });
  const allowlists = new CveAllowlists({ database });
  const { quotas, registries } = later;
  return {
    settings,
    identity,
    projects,
    members,
    authorizer: new ProjectAuthorizer(members),
    allowlists,
    presenter: new ProjectPresenter({ accounts, contents, allowlists, members, quotas, registries }),
    contents,
    jobs: new Jobs(database),
    schedules: new Schedules(database),
    [Symbol.asyncDispose]: async () => identity[Symbol.asyncDispose](),
  };
}

/** Makes what a new installation begins with; gives the administrator's password the first time. */
export async function prepareInstallation({
  identity,
  projects,
}: Management): Promise<{ readonly name: string; readonly password: string } | undefined> {
  const administrator = await identity.localUsers.ensureAdministrator();
  const owner = await identity.users.firstAdministrator();
  if (owner !== undefined) {
    await projects.createDefault({
      kind: 'user',
      id: owner.id,
      name: owner.name,
      systemAdministrator: true,
      groupIds: [],
    });
  }
  return administrator;
}

/** While there is nobody but the first administrator, users may still come from somewhere else. */
async function isOneUser({ db }: Database): Promise<boolean> {
  const users = await db.selectFrom('users').select('id').limit(2).execute();
  return users.length <= 1;
}
