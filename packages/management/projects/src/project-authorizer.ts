import { type Authorizer, type Permission, type Principal, type ProjectIdentity, decide, explain } from '@vic/authz';
import type { ProjectMembers } from './project-members.ts';

/** Decides by membership, grants and publicity, as they are now. */
export class ProjectAuthorizer implements Authorizer {
  readonly #members: Pick<ProjectMembers, 'rolesOf'>;

  constructor(members: Pick<ProjectMembers, 'rolesOf'>) {
    this.#members = members;
  }

  async isAllowed(principal: Principal, permission: Permission, project?: ProjectIdentity): Promise<boolean> {
    if (project === undefined) return decide(principal, permission, { roles: [] }).allowed;
    const roles = await this.#members.rolesOf(principal, project.id);
    return decide(principal, permission, { project, roles }).allowed;
  }

  /** The answer to "why can X not pull?" as a sentence. */
  async explain(principal: Principal, permission: Permission, project?: ProjectIdentity): Promise<string> {
    if (project === undefined) return explain(principal, permission, { roles: [] });
    const roles = await this.#members.rolesOf(principal, project.id);
    return explain(principal, permission, { project, roles });
  }
}
