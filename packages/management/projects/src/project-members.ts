import {
  type Permission,
  type Principal,
  type ProjectIdentity,
  type ProjectRole,
  decide,
  projectRoleOfId,
} from '@vic/authz';
import { membershipsOf } from './memberships.ts';
import { VicError } from '@vic/errors';
import { type Database, type Executor, type Insertable, type Schema, isForeignKeyViolation } from '@vic/sql';
import type { AccountDirectory, GroupReference, UserReference } from './project-services.ts';
import { ShortCache } from './short-cache.ts';

/** One member of a project. */
export interface ProjectMember {
  readonly id: number;
  readonly projectId: number;
  /** `u` a user, `g` a group. */
  readonly entityType: 'u' | 'g';
  readonly entityId: number;
  readonly entityName: string;
  readonly roleId: number;
}

/** Whom to make a member. */
export type NewMember =
  | { readonly user: UserReference; readonly roleId: number }
  | { readonly group: GroupReference; readonly roleId: number };

/** What {@link ProjectMembers} is composed of. */
export interface ProjectMembersDeps {
  readonly database: Database;
  readonly accounts: AccountDirectory;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}

interface RolesOfProject {
  readonly users: ReadonlyMap<number, number>;
  readonly groups: ReadonlyMap<number, number>;
}

/** How old another process's change may be before this one sees it. */
const MAX_AGE_MS = 1_000;

/** Who belongs to which project, as what. */
export class ProjectMembers {
  readonly #deps: ProjectMembersDeps;
  readonly #now: () => number;
  readonly #roles: ShortCache<number, RolesOfProject>;

  constructor(deps: ProjectMembersDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#roles = new ShortCache({ maxAgeMs: MAX_AGE_MS, now: this.#now });
  }

  /** The roles the principal has in the project, as a member and through groups, the same role once. */
  async rolesOf(principal: Principal, projectId: number): Promise<readonly ProjectRole[]> {
    if (principal.kind !== 'user') return [];
    const { users, groups } = await this.#roles.get(projectId, async () => this.#load(projectId));
    const ids = new Set([users.get(principal.id), ...principal.groupIds.map((group) => groups.get(group))]);
    return [...ids].flatMap((id) => (id === undefined ? [] : (projectRoleOfId(id) ?? [])));
  }

  /** The projects where the principal may: as a member, through groups, or by grants. Not those open to everybody. */
  async projectsWhere(principal: Principal, permission: Permission): Promise<readonly ProjectIdentity[]> {
    if (principal.kind === 'anonymous') return [];
    const mine = await membershipsOf(this.#deps.database.db, principal);
    return mine
      .filter(({ project, roles }) => decide(principal, permission, { project, roles }).allowed)
      .map(({ project }) => project);
  }

  /** Whether the principal is administrator of at least one project. */
  async administersProject(principal: Principal): Promise<boolean> {
    return (await this.projectsWhere(principal, { resource: 'project', action: 'delete' })).length > 0;
  }

  /** The members whose names contain `search`, sorted by name. */
  async list(projectId: number, search = ''): Promise<readonly ProjectMember[]> {
    const { db } = this.#deps.database;
    const rows = await db.selectFrom('project_members').selectAll().where('project_id', '=', projectId).execute();
    const members = await this.#named(rows);
    return members
      .filter((member) => member.entityName.includes(search))
      .toSorted((a, b) => a.entityName.localeCompare(b.entityName) || a.id - b.id);
  }

  /** How many members have each role. */
  async countByRole(projectId: number): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#deps.database.db
      .selectFrom('project_members')
      .select((select) => ['role_id', select.fn.countAll<number>().as('members')])
      .where('project_id', '=', projectId)
      .groupBy('role_id')
      .execute();
    return new Map(rows.map((row) => [row.role_id, Number(row.members)]));
  }

  /** One member. */
  async get(projectId: number, memberId: number): Promise<ProjectMember> {
    const row = await this.#deps.database.db
      .selectFrom('project_members')
      .selectAll()
      .where('project_id', '=', projectId)
      .where('id', '=', memberId)
      .executeTakeFirst();
    const [member] = row === undefined ? [] : await this.#named([row]);
    if (member === undefined) throw noSuchMember(memberId);
    return member;
  }

  /** Makes a user or group a member; refuses one who is already. */
  async add(projectId: number, member: NewMember): Promise<ProjectMember> {
    checkRole(member.roleId);
    const isUser = 'user' in member;
    const account = isUser
      ? await this.#deps.accounts.findUser(member.user)
      : await this.#deps.accounts.findGroup(member.group);
    if (account === undefined) throw noSuchAccount(isUser ? member.user : member.group);
    const entityType = isUser ? 'u' : 'g';
    const row = await this.#insert({
      project_id: projectId,
      entity_type: entityType,
      entity_id: account.id,
      role_id: member.roleId,
      created_at_ms: this.#now(),
    });
    this.#roles.forget();
    if (row === undefined) {
      throw new VicError({
        class: 'AlreadyExists',
        code: 'MEMBER_EXISTS',
        message: 'The project member specified already exist',
      });
    }
    return {
      id: row.id,
      projectId,
      entityType,
      entityId: account.id,
      entityName: account.name,
      roleId: member.roleId,
    };
  }

  /** Gives a member another role. */
  async changeRole(projectId: number, memberId: number, roleId: number): Promise<void> {
    checkRole(roleId);
    const changed = await this.#deps.database.db
      .updateTable('project_members')
      .set({ role_id: roleId })
      .where('project_id', '=', projectId)
      .where('id', '=', memberId)
      .returning('id')
      .executeTakeFirst();
    this.#roles.forget();
    if (changed === undefined) throw noSuchMember(memberId);
  }

  /** Ends a membership. */
  async remove(projectId: number, memberId: number): Promise<void> {
    const removed = await this.#deps.database.db
      .deleteFrom('project_members')
      .where('project_id', '=', projectId)
      .where('id', '=', memberId)
      .returning('id')
      .executeTakeFirst();
    this.#roles.forget();
    if (removed === undefined) throw noSuchMember(memberId);
  }

  /** Ends the memberships of an account, in the transaction that removes it; the owner of accounts calls it. */
  async removeAccount(
    transaction: Executor,
    account: { readonly type: 'u' | 'g'; readonly id: number },
  ): Promise<void> {
    await transaction
      .deleteFrom('project_members')
      .where('entity_type', '=', account.type)
      .where('entity_id', '=', account.id)
      .execute();
    this.#roles.forget();
  }

  /** Nothing is given for who is a member already. */
  async #insert(values: Insertable<Schema['project_members']>): Promise<{ readonly id: number } | undefined> {
    try {
      return await this.#deps.database.db
        .insertInto('project_members')
        .values(values)
        .onConflict((conflict) => conflict.columns(['project_id', 'entity_type', 'entity_id']).doNothing())
        .returning('id')
        .executeTakeFirst();
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new VicError({
        class: 'NotFound',
        code: 'PROJECT_NOT_FOUND',
        message: `project ${values.project_id} not found`,
        cause: error,
      });
    }
  }

  async #load(projectId: number): Promise<RolesOfProject> {
    const rows = await this.#deps.database.db
      .selectFrom('project_members')
      .select(['entity_type', 'entity_id', 'role_id'])
      .where('project_id', '=', projectId)
      .execute();
    const of = (type: 'u' | 'g'): ReadonlyMap<number, number> =>
      new Map(rows.filter((row) => row.entity_type === type).map((row) => [row.entity_id, row.role_id]));
    return { users: of('u'), groups: of('g') };
  }

  /** Accounts that are gone are not members any more. */
  async #named(rows: readonly MemberRow[]): Promise<ProjectMember[]> {
    const idsOf = (type: 'u' | 'g'): number[] =>
      rows.filter((row) => row.entity_type === type).map((row) => row.entity_id);
    const names = {
      u: await this.#deps.accounts.userNames(idsOf('u')),
      g: await this.#deps.accounts.groupNames(idsOf('g')),
    };
    return rows.flatMap((row) => {
      const entityName = names[row.entity_type].get(row.entity_id);
      if (entityName === undefined) return [];
      return {
        id: row.id,
        projectId: row.project_id,
        entityType: row.entity_type,
        entityId: row.entity_id,
        entityName,
        roleId: row.role_id,
      };
    });
  }
}

interface MemberRow {
  readonly id: number;
  readonly project_id: number;
  readonly entity_type: 'u' | 'g';
  readonly entity_id: number;
  readonly role_id: number;
}

function checkRole(roleId: number): void {
  if (projectRoleOfId(roleId) !== undefined) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'MEMBER_ROLE_INVALID',
    message: 'Failed to update project member, role is not in 1,2,3,4,5',
  });
}

function noSuchMember(memberId: number): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'MEMBER_NOT_FOUND',
    message: `the project member ${memberId} was not found`,
  });
}

/** A user who is not there is 404 by name and 400 by id, as in Harbor. */
function noSuchAccount(reference: UserReference | GroupReference): VicError {
  const byId = 'id' in reference;
  const name = 'ldapDn' in reference ? reference.ldapDn : 'name' in reference ? reference.name : String(reference.id);
  return new VicError({
    class: byId ? 'InvalidArgument' : 'NotFound',
    code: 'MEMBER_ACCOUNT_NOT_FOUND',
    message: `${name.slice(0, 255)} was not found`,
  });
}
