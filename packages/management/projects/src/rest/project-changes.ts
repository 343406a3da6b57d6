import type { Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { HttpRequest } from '@vic/http';
import { isPermitted, principalOf } from '@vic/rest';
import type { CveAllowlists } from '../cve-allowlists.ts';
import type { ProjectQuotas } from '../project-services.ts';
import type { NewProject, Project } from '../project.ts';
import type { Projects } from '../projects.ts';
import { type ProjectRequest, allowlistContentOf, metadataOf } from './project-body.ts';

/** What decides about changes of projects. */
export interface ProjectChangesDeps {
  readonly projects: Projects;
  readonly allowlists: CveAllowlists;
  readonly quotas: ProjectQuotas;
  /** The setting `project_creation_restriction`. */
  projectCreation(): Promise<'everyone' | 'adminonly'>;
}

const UNLIMITED = -1;
const CREATE = { resource: 'project', action: 'create' } as const;

/** Creation and update of projects as the API asks for them. */
export class ProjectChanges {
  readonly #deps: ProjectChangesDeps;

  constructor(deps: ProjectChangesDeps) {
    this.#deps = deps;
  }

  /** Makes a project; what only administrators may set is refused to others. */
  async create(request: HttpRequest, body: ProjectRequest): Promise<Project> {
    const principal = principalOf(request);
    const isAdministrator = await isPermitted(request, CREATE);
    await this.#checkCreator(principal, isAdministrator);
    const registryId = body.registry_id ?? undefined;
    if (registryId !== undefined && !isAdministrator) {
      throw forbidden('Only system admin can create proxy cache project');
    }
    if (registryId !== undefined && registryId <= 0) {
      throw invalid(`${registryId} is invalid value of registry_id, it should be geater than 0`);
    }
    const storageLimitBytes = storageLimitOf(body, isAdministrator);
    const project: NewProject = {
      name: body.project_name ?? '',
      metadata: metadataOf(body),
      ...(registryId === undefined ? {} : { registryId }),
      ...(storageLimitBytes === undefined ? {} : { storageLimitBytes }),
    };
    const allowlist = body.cve_allowlist ?? undefined;
    return this.#deps.projects.create(project, principal, async (transaction, made) => {
      if (allowlist !== undefined) {
        await this.#deps.allowlists.set(transaction, made.id, allowlistContentOf(allowlist));
      }
    });
  }

  /**
   * Changes metadata, allowlist and, for those who may set quotas, the storage limit.
   *
   * A project keeps its name: clients of Harbor send one that means nothing, and rely on that.
   */
  async update(request: HttpRequest, project: Project, body: ProjectRequest): Promise<void> {
    const registryId = body.registry_id ?? undefined;
    if (registryId !== undefined && registryId !== (project.registryId ?? 0)) {
      throw invalid(`the registry of project ${project.name} cannot be changed`);
    }
    const allowlist = body.cve_allowlist ?? undefined;
    const allowlistProject = allowlist?.project_id ?? 0;
    if (allowlistProject !== 0 && allowlistProject !== project.id) {
      throw invalid(`project_id in cve_allowlist must be ${project.id} but it's ${allowlistProject}`);
    }
    const mayLimit = await isPermitted(request, { resource: 'quota', action: 'update' });
    const limitBytes = storageLimitOf(body, mayLimit);
    await this.#deps.projects.setMetadata(project.id, metadataOf(body), async (transaction) => {
      if (allowlist !== undefined) {
        await this.#deps.allowlists.set(transaction, project.id, allowlistContentOf(allowlist));
      }
      if (limitBytes !== undefined) await this.#deps.quotas.set(transaction, project.id, limitBytes);
    });
  }

  async #checkCreator(principal: Principal, isAdministrator: boolean): Promise<void> {
    if (isAdministrator) return;
    if (principal.kind === 'robot') throw forbidden('Only system level robot can create project');
    if (principal.kind === 'user' && principal.grants !== undefined) {
      throw forbidden('the access token used may not create projects');
    }
    if ((await this.#deps.projectCreation()) === 'adminonly') {
      throw forbidden('Only system admin can create project');
    }
  }
}

/** Clients send −1 for "no wish"; others than administrators get the default for it. */
function storageLimitOf(body: ProjectRequest, isAdministrator: boolean): number | undefined {
  const limitBytes = body.storage_limit ?? 0;
  if (limitBytes === 0) return undefined;
  if (isAdministrator) return limitBytes;
  if (limitBytes === UNLIMITED) return undefined;
  throw forbidden('Only system admin can set the storage limit of a project');
}

function forbidden(message: string): VicError {
  return new VicError({ class: 'PermissionDenied', code: 'PROJECT_CHANGE_FORBIDDEN', message });
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'PROJECT_REQUEST_INVALID', message });
}
