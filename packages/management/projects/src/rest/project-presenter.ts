import { PROJECT_ROLE_IDS, type Principal, type ProjectRole, highestRole } from '@vic/authz';
import type { CveAllowlists } from '../cve-allowlists.ts';
import type { ProjectMembers } from '../project-members.ts';
import type { AccountDirectory, ProjectContents, ProjectQuotas, ProxyRegistries } from '../project-services.ts';
import type { Project } from '../project.ts';
import { allowlistBody } from './project-body.ts';

/** What a presenter reads from. */
export interface PresenterDeps {
  readonly members: ProjectMembers;
  readonly allowlists: CveAllowlists;
  readonly accounts: AccountDirectory;
  readonly contents: ProjectContents;
  readonly quotas: ProjectQuotas;
  readonly registries: ProxyRegistries;
}

/** What of a project's summary the caller may see. */
export interface SummaryParts {
  readonly quota: boolean;
  readonly members: boolean;
}

/** How many members have each role, as the summary names them. */
const COUNTS: readonly (readonly [ProjectRole, string])[] = [
  ['projectAdmin', 'project_admin_count'],
  ['maintainer', 'maintainer_count'],
  ['developer', 'developer_count'],
  ['guest', 'guest_count'],
  ['limitedGuest', 'limited_guest_count'],
];

/** Shows projects as Harbor's API does. */
export class ProjectPresenter {
  readonly #deps: PresenterDeps;

  constructor(deps: PresenterDeps) {
    this.#deps = deps;
  }

  /** Projects as they are listed, each with the roles the viewer has in it. */
  async bodies(projects: readonly Project[], viewer: Principal): Promise<object[]> {
    const ids = projects.map((project) => project.id);
    const [counts, allowlists, owners] = await Promise.all([
      this.#deps.contents.repositoryCounts(ids),
      this.#deps.allowlists.ofProjects(ids),
      this.#deps.accounts.userNames([...new Set(projects.map((project) => project.ownerId))]),
    ]);
    return Promise.all(
      projects.map(async (project) => {
        const allowlist = allowlists.get(project.id) ?? emptyAllowlist(project);
        return {
          ...projectBody(project),
          owner_name: owners.get(project.ownerId) ?? '',
          repo_count: counts.get(project.id) ?? 0,
          ...(await this.#roles(project, viewer)),
          cve_allowlist: allowlistBody(allowlist),
        };
      }),
    );
  }

  /** What is in a project and who belongs to it. */
  async summary(project: Project, parts: SummaryParts): Promise<object> {
    const counts = await this.#deps.contents.repositoryCounts([project.id]);
    const registry =
      project.registryId === undefined ? undefined : await this.#deps.registries.describe(project.registryId);
    return {
      repo_count: counts.get(project.id) ?? 0,
      ...(parts.members ? await this.#memberCounts(project.id) : {}),
      ...(parts.quota ? { quota: await this.#quota(project.id) } : {}),
      ...(registry === undefined ? {} : { registry }),
    };
  }

  async #memberCounts(projectId: number): Promise<object> {
    const counts = await this.#deps.members.countByRole(projectId);
    return Object.fromEntries(COUNTS.map(([role, name]) => [name, counts.get(PROJECT_ROLE_IDS[role]) ?? 0]));
  }

  async #quota(projectId: number): Promise<object> {
    const { limitBytes, usedBytes } = await this.#deps.quotas.read(projectId);
    return { hard: { storage: limitBytes }, used: { storage: usedBytes } };
  }

  async #roles(project: Project, viewer: Principal): Promise<object> {
    const roles = await this.#deps.members.rolesOf(viewer, project.id);
    const highest = highestRole(roles);
    if (highest === undefined) return {};
    return {
      current_user_role_id: PROJECT_ROLE_IDS[highest],
      current_user_role_ids: roles.map((role) => PROJECT_ROLE_IDS[role]),
    };
  }
}

/** The project's own properties as the API shows them. */
export function projectBody(project: Project): object {
  return {
    project_id: project.id,
    name: project.name,
    owner_id: project.ownerId,
    ...(project.registryId === undefined ? {} : { registry_id: project.registryId }),
    creation_time: new Date(project.createdAtMs).toISOString(),
    update_time: new Date(project.updatedAtMs).toISOString(),
    deleted: false,
    metadata: project.metadata,
  };
}

function emptyAllowlist(project: Project): Parameters<typeof allowlistBody>[0] {
  return {
    id: 0,
    projectId: project.id,
    cveIds: [],
    expiresAtS: undefined,
    createdAtMs: project.createdAtMs,
    updatedAtMs: project.createdAtMs,
  };
}
