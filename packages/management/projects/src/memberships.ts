import {
  EVERY_PROJECT,
  type ProjectIdentity,
  type ProjectRole,
  type RobotPrincipal,
  type UserPrincipal,
  projectRoleOfId,
} from '@vic/authz';
import type { Executor } from '@vic/sql';

/** A project someone has to do with, and as what. */
export interface Membership {
  readonly project: ProjectIdentity;
  /** None for robots, who have grants instead. */
  readonly roles: readonly ProjectRole[];
}

/** The projects a user is a member of, as a user or through groups, or a robot has grants for. */
export async function membershipsOf(
  executor: Executor,
  principal: UserPrincipal | RobotPrincipal,
): Promise<readonly Membership[]> {
  return principal.kind === 'robot' ? ofRobot(executor, principal) : ofUser(executor, principal);
}

async function ofUser(executor: Executor, { id, groupIds }: UserPrincipal): Promise<readonly Membership[]> {
  const rows = await executor
    .selectFrom('project_members')
    .innerJoin('projects', 'projects.id', 'project_members.project_id')
    .select(['projects.id', 'projects.name', 'projects.public', 'role_id'])
    .where((eb) => {
      const asUser = eb.and([eb('entity_type', '=', 'u'), eb('entity_id', '=', id)]);
      if (groupIds.length === 0) return asUser;
      return eb.or([asUser, eb.and([eb('entity_type', '=', 'g'), eb('entity_id', 'in', groupIds)])]);
    })
    .execute();
  const memberships = new Map<number, { project: ProjectIdentity; roles: ProjectRole[] }>();
  for (const row of rows) {
    const role = projectRoleOfId(row.role_id);
    const membership = memberships.get(row.id) ?? { project: identityOf(row), roles: [] };
    memberships.set(row.id, membership);
    if (role !== undefined) membership.roles.push(role);
  }
  return [...memberships.values()];
}

async function ofRobot(executor: Executor, { grants }: RobotPrincipal): Promise<readonly Membership[]> {
  const names = grants.flatMap(({ scope }) => (scope.kind === 'project' ? [scope.project] : []));
  if (names.length === 0) return [];
  let query = executor.selectFrom('projects').select(['id', 'name', 'public']);
  if (!names.includes(EVERY_PROJECT)) query = query.where('name', 'in', names);
  return (await query.execute()).map((row) => ({ project: identityOf(row), roles: [] }));
}

function identityOf(row: { readonly id: number; readonly name: string; readonly public: number }): ProjectIdentity {
  return { id: row.id, name: row.name, public: row.public === 1 };
}
