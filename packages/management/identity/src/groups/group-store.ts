import { VicError } from '@vic/errors';
import { type Database, isForeignKeyViolation, isUniqueViolation } from '@vic/sql';
import { GROUP_TYPES, type Group, type GroupType, type NewGroup, groupKey, groupOfRow, requireGroup } from './group.ts';

/** The tables of groups and of who is in them. */
export class GroupStore {
  readonly #database: Database;
  readonly #clock: () => number;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The group with that id. */
  async find(id: number): Promise<Group | undefined> {
    const row = await this.#database.db.selectFrom('user_groups').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : groupOfRow(row);
  }

  /** The group with that id, or `NotFound`. */
  async get(id: number): Promise<Group> {
    const group = await this.find(id);
    if (group === undefined) throw noSuchGroup(id);
    return group;
  }

  /** The group of that type with that name or, for LDAP, DN. */
  async findLike(group: NewGroup): Promise<Group | undefined> {
    const row = await this.#database.db
      .selectFrom('user_groups')
      .selectAll()
      .where('type', '=', group.type)
      .where('key', '=', groupKey(group))
      .executeTakeFirst();
    return row === undefined ? undefined : groupOfRow(row);
  }

  /** Groups with that name, of one type or of any. */
  async findByName(name: string, type?: GroupType): Promise<Group | undefined> {
    const row = await this.#database.db
      .selectFrom('user_groups')
      .selectAll()
      .where('name', '=', name)
      .$if(type !== undefined, (query) => query.where('type', '=', type ?? 0))
      .orderBy('id')
      .executeTakeFirst();
    return row === undefined ? undefined : groupOfRow(row);
  }

  /** Names by id; those that are gone are left out. */
  async names(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    if (ids.length === 0) return new Map();
    const { db } = this.#database;
    const rows = await db.selectFrom('user_groups').select(['id', 'name']).where('id', 'in', ids).execute();
    return new Map(rows.map((row) => [row.id, row.name]));
  }

  /** Makes a group; one that is there already is refused. */
  async create(group: NewGroup): Promise<Group> {
    requireGroup(group);
    const now = this.#clock();
    try {
      const row = await this.#database.db
        .insertInto('user_groups')
        .values({
          name: group.name.trim(),
          type: group.type,
          key: groupKey(group),
          ldap_dn: group.ldapDn,
          created_at_ms: now,
          updated_at_ms: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return groupOfRow(row);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new VicError({
        class: 'AlreadyExists',
        code: 'GROUP_EXISTS',
        message: `user group ${group.ldapDn || group.name} already exists`,
        cause: error,
      });
    }
  }

  /** The group, made when it is not there. */
  async ensure(group: NewGroup): Promise<Group> {
    const found = await this.findLike(group);
    if (found !== undefined) return found;
    try {
      return await this.create(group);
    } catch (error) {
      // Another process met the group at the same moment.
      const made = await this.findLike(group);
      if (made === undefined) throw error;
      return made;
    }
  }

  /** Renames a group; the key of a group that is known by its name changes with it. */
  async rename(id: number, name: string): Promise<void> {
    const group = await this.get(id);
    const renamed = { ...group, name };
    requireGroup(renamed);
    await this.#database.db
      .updateTable('user_groups')
      .set({ name: name.trim(), key: groupKey(renamed), updated_at_ms: this.#clock() })
      .where('id', '=', id)
      .execute();
  }

  /** Removes a group; its members lose what they had through it. */
  async remove(id: number): Promise<void> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('user_groups')
      .where('id', '=', id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw noSuchGroup(id);
  }

  /** The groups of a user. */
  async idsOf(userId: number): Promise<readonly number[]> {
    const rows = await this.#database.db
      .selectFrom('user_group_members')
      .select('group_id')
      .where('user_id', '=', userId)
      .orderBy('group_id')
      .execute();
    return rows.map((row) => row.group_id);
  }

  /** The ids of a group's members. */
  async membersOf(groupId: number): Promise<readonly number[]> {
    const rows = await this.#database.db
      .selectFrom('user_group_members')
      .select('user_id')
      .where('group_id', '=', groupId)
      .orderBy('user_id')
      .execute();
    return rows.map((row) => row.user_id);
  }

  /** Puts a user into a group made here. */
  async addMember(groupId: number, userId: number): Promise<void> {
    await this.#requireInternal(groupId);
    try {
      await this.#database.db
        .insertInto('user_group_members')
        .values({ group_id: groupId, user_id: userId })
        .onConflict((conflict) => conflict.columns(['user_id', 'group_id']).doNothing())
        .execute();
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new VicError({ class: 'NotFound', code: 'USER_NOT_FOUND', message: `user ${userId} not found` });
    }
  }

  /** Takes a user out of a group made here. */
  async removeMember(groupId: number, userId: number): Promise<void> {
    await this.#requireInternal(groupId);
    await this.#database.db
      .deleteFrom('user_group_members')
      .where('group_id', '=', groupId)
      .where('user_id', '=', userId)
      .execute();
  }

  /** Makes the user's groups of that type be those, as the source has just said; other types stay. */
  async synchronize(userId: number, type: GroupType, groups: readonly NewGroup[]): Promise<void> {
    const ids: number[] = [];
    for (const group of groups) ids.push((await this.ensure(group)).id);
    await this.#database.transaction(async (transaction) => {
      const present = await transaction
        .selectFrom('user_group_members')
        .innerJoin('user_groups', 'user_groups.id', 'user_group_members.group_id')
        .select('group_id')
        .where('user_id', '=', userId)
        .where('type', '=', type)
        .execute();
      const before = new Set(present.map((row) => row.group_id));
      const gone = [...before].filter((id) => !ids.includes(id));
      const added = [...new Set(ids)].filter((id) => !before.has(id));
      if (gone.length > 0) {
        await transaction
          .deleteFrom('user_group_members')
          .where('user_id', '=', userId)
          .where('group_id', 'in', gone)
          .execute();
      }
      if (added.length > 0) {
        await transaction
          .insertInto('user_group_members')
          .values(added.map((id) => ({ group_id: id, user_id: userId })))
          .onConflict((conflict) => conflict.columns(['user_id', 'group_id']).doNothing())
          .execute();
      }
    });
  }

  async #requireInternal(groupId: number): Promise<void> {
    const group = await this.get(groupId);
    if (group.type === GROUP_TYPES.internal) return;
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'GROUP_NOT_INTERNAL',
      message: `The members of ${group.name} are kept by its source.`,
      remedy: 'Change them there; they are taken over when the members sign in.',
    });
  }
}

function noSuchGroup(id: number): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'GROUP_NOT_FOUND',
    message: `the user group with id ${id} is not found`,
  });
}
