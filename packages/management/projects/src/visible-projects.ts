import { EVERY_PROJECT, type Grant, type Principal } from '@vic/authz';
import type { Executor, Expression, ExpressionBuilder, Schema, SqlBool } from '@vic/sql';

type Condition = (eb: ExpressionBuilder<Schema, 'projects'>) => Expression<SqlBool>;

/** The condition on `projects` that holds for those the principal may see; `undefined` when that is all. */
export function visibleTo(principal: Principal): Condition | undefined {
  const conditions = ownConditions(principal);
  if (conditions.length === 0) return undefined;
  return (eb) => eb.or([eb('projects.public', '=', 1), eb.and(conditions.map((condition) => condition(eb)))]);
}

/** The ids of the projects the principal may see. */
export async function visibleProjectIds(executor: Executor, principal: Principal): Promise<readonly number[] | 'all'> {
  const condition = visibleTo(principal);
  if (condition === undefined) return 'all';
  const rows = await executor.selectFrom('projects').select('id').where(condition).execute();
  return rows.map((row) => row.id);
}

/** All of them must hold for a private project. */
function ownConditions(principal: Principal): readonly Condition[] {
  switch (principal.kind) {
    case 'anonymous':
      return [(eb) => eb('projects.public', '=', 1)];
    case 'robot':
      return grantedOnly(principal.grants);
    case 'user': {
      const member = principal.systemAdministrator ? [] : [isMember(principal.id, principal.groupIds)];
      return [...member, ...(principal.grants === undefined ? [] : grantedOnly(principal.grants))];
    }
  }
}

function grantedOnly(grants: readonly Grant[]): readonly Condition[] {
  const names = grants.flatMap(({ scope }) => (scope.kind === 'project' ? [scope.project] : []));
  if (names.includes(EVERY_PROJECT)) return [];
  return [(eb) => (names.length === 0 ? eb('projects.public', '=', 1) : eb('projects.name', 'in', names))];
}

function isMember(userId: number, groupIds: readonly number[]): Condition {
  return (eb) =>
    eb(
      'projects.id',
      'in',
      eb
        .selectFrom('project_members')
        .select('project_members.project_id')
        .where((member) => {
          const asUser = member.and([member('entity_type', '=', 'u'), member('entity_id', '=', userId)]);
          if (groupIds.length === 0) return asUser;
          return member.or([
            asUser,
            member.and([member('entity_type', '=', 'g'), member('entity_id', 'in', groupIds)]),
          ]);
        }),
    );
}
