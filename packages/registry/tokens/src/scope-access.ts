import type { Action, Authorizer, Principal, ProjectIdentity } from '@vic/authz';
import type { GrantedAccess } from './access-tokens.ts';
import type { RequestedScope } from './scope.ts';
import { NOTARY_SERVICE } from './service.ts';

/** Finds the project a repository belongs to. */
export interface ProjectFinder {
  findByName(name: string): Promise<ProjectIdentity | undefined>;
}

/** What {@link ScopeAccess} is composed of. */
export interface ScopeAccessDeps {
  readonly authorizer: Authorizer;
  readonly projects: ProjectFinder;
}

/** The actions on a repository, in the order tokens list them. */
const REPOSITORY_ACTIONS = ['pull', 'push', 'delete', 'scanner-pull'] as const satisfies readonly Action[];

/** What principals may do with what tokens are asked for, now. */
export class ScopeAccess {
  readonly #deps: ScopeAccessDeps;

  constructor(deps: ScopeAccessDeps) {
    this.#deps = deps;
  }

  /** The project of a repository; `library/` is not implied for single names. */
  async projectOf(repository: string): Promise<ProjectIdentity | undefined> {
    const [project = '', ...rest] = repository.split('/');
    return project === '' || rest.length === 0 ? undefined : this.#deps.projects.findByName(project);
  }

  /** Whether the principal may do that to a repository of the project. */
  async mayDo(principal: Principal, action: string, project: ProjectIdentity | undefined): Promise<boolean> {
    const known = REPOSITORY_ACTIONS.find((candidate) => candidate === action);
    if (known === undefined || project === undefined) return false;
    // An administrator may everything, but only a scanner's robot passes by the policies.
    if (known === 'scanner-pull' && principal.kind !== 'robot') return false;
    return this.#deps.authorizer.isAllowed(principal, { resource: 'repository', action: known }, project);
  }

  /** Whether the principal may list the whole catalog. */
  async mayReadCatalog(principal: Principal): Promise<boolean> {
    return this.#deps.authorizer.isAllowed(principal, { resource: 'catalog', action: 'read' });
  }

  /**
   * What a token for the scope gives: everything the principal may do there, whatever was asked for.
   *
   * Never an error: what is not there, not known or not allowed gives no actions, and `/v2` refuses later.
   */
  async grantedTo(principal: Principal, scope: RequestedScope, service: string): Promise<GrantedAccess> {
    return { type: scope.type, name: scope.name, actions: await this.#actions(principal, scope, service) };
  }

  async #actions(
    principal: Principal,
    { type, name, actions }: RequestedScope,
    service: string,
  ): Promise<readonly string[]> {
    if (type === 'registry') return name === 'catalog' && (await this.mayReadCatalog(principal)) ? actions : [];
    if (type !== 'repository') return [];
    const project = await this.projectOf(service === NOTARY_SERVICE ? withoutHost(name) : name);
    if (project === undefined) return [];
    const allowed: string[] = [];
    for (const action of REPOSITORY_ACTIONS) {
      if (await this.mayDo(principal, action, project)) allowed.push(action);
    }
    return allowed;
  }
}

/** A Notary collection is named with the registry's host: `registry.example:443/project/repository`. */
export function withoutHost(name: string): string {
  const match = /^(?:localhost|[^/]*[.:][^/]*)\/([^/]+\/.+)$/s.exec(name);
  return match?.[1] ?? name;
}
