import {
  type AuthorizationRole,
  type ManagedObjectReference,
  type Permission,
  VimFault,
  make,
  methodMeta,
  methodNames,
} from '@vic/vim';
import { ManagedEntity } from '../model/managed-entity.ts';
import { invalidArgument, notFound } from '../model/faults.ts';
import type { ManagedObject } from '../model/managed-object.ts';
import type { ObjectRegistry } from '../model/object-registry.ts';
import type { StateStore } from '../model/state-store.ts';
import { CHANGE_PRIVILEGES, DYNAMIC_PRIVILEGES } from './dynamic-privileges.ts';
import type { BaseRole, Users } from './users.ts';

/** A role as it is kept. */
export interface Role {
  readonly roleId: number;
  readonly name: string;
  readonly privileges: readonly string[];
}

interface Document {
  readonly roles: readonly Role[];
  readonly permissions: readonly Permission[];
}

const SYSTEM_PRIVILEGES = ['System.Anonymous', 'System.View', 'System.Read'] as const;
const ROLE_ID: Readonly<Record<BaseRole, number>> = { Admin: -1, ReadOnly: -2, NoAccess: -5 };
const SYSTEM_ROLES: readonly Role[] = [
  { roleId: -5, name: 'NoAccess', privileges: [] },
  { roleId: -4, name: 'Anonymous', privileges: ['System.Anonymous'] },
  { roleId: -3, name: 'View', privileges: ['System.Anonymous', 'System.View'] },
  { roleId: -2, name: 'ReadOnly', privileges: SYSTEM_PRIVILEGES },
];
const FIRST_USER_ROLE_ID = 11;

/** Roles, permissions on entities, and the question who may do what. */
export class Authorization {
  readonly #users: Users;
  readonly #store: StateStore;
  readonly #objects: ObjectRegistry;
  #roles = new Map<number, Role>(SYSTEM_ROLES.map((role) => [role.roleId, role]));

  private constructor(users: Users, store: StateStore, objects: ObjectRegistry) {
    this.#users = users;
    this.#store = store;
    this.#objects = objects;
  }

  /** Reads the roles; {@link restorePermissions} follows when the entities exist. */
  static async open(users: Users, store: StateStore, objects: ObjectRegistry): Promise<Authorization> {
    await users.list();
    const authorization = new Authorization(users, store, objects);
    const document = (await store.read('authorization')) as Document | undefined;
    for (const role of document?.roles ?? []) authorization.#roles.set(role.roleId, role);
    return authorization;
  }

  /** Puts the recorded permissions back on their entities. */
  async restorePermissions(): Promise<void> {
    const document = (await this.#store.read('authorization')) as Document | undefined;
    const byEntity = Map.groupBy(document?.permissions ?? [], (permission) => permission.entity?.value ?? '');
    for (const permissions of byEntity.values()) {
      const ref = permissions[0]?.entity;
      const entity = ref === undefined ? undefined : this.#objects.find(ref);
      if (entity instanceof ManagedEntity) entity.setPermissions(permissions);
    }
  }

  /** All roles, those of the system first. */
  get roles(): readonly AuthorizationRole[] {
    const admin = { roleId: -1, name: 'Admin', privileges: allPrivileges() };
    return [...this.#roles.values(), admin]
      .toSorted((a, b) => a.roleId - b.roleId)
      .map(({ roleId, name, privileges }) => ({
        roleId,
        name,
        system: roleId < 0,
        info: { label: name, summary: name },
        privilege: privileges,
      }));
  }

  /** Whether the user has the privilege on the entity; `undefined` stands for the root of the inventory. */
  allows(userName: string, privilege: string, object: ManagedObject | undefined): boolean {
    if (privilege === 'System.Anonymous') return true;
    const roleId = this.#roleIdOn(userName, object instanceof ManagedEntity ? object : undefined);
    if (roleId === ROLE_ID.Admin) return true;
    const role = this.#roles.get(roleId);
    return role !== undefined && role.privileges.includes(privilege);
  }

  /** Throws NoPermission unless {@link allows}. */
  require(userName: string, privilege: string, object: ManagedObject | undefined): void {
    if (this.allows(userName, privilege, object)) return;
    const ref = object?.ref ?? { type: 'Folder', value: 'ha-folder-root' };
    throw new VimFault({
      fault: make('NoPermission', { object: ref as ManagedObjectReference, privilegeId: privilege }),
      message: `Permission to perform this operation was denied: ${privilege} on ${ref.type} ${ref.value}.`,
    });
  }

  /** Adds a role and gives its number. */
  async addRole(name: string, privileges: readonly string[]): Promise<number> {
    this.#requireNewRoleName(name);
    const roleId = Math.max(FIRST_USER_ROLE_ID - 1, ...this.#roles.keys()) + 1;
    this.#roles.set(roleId, { roleId, name, privileges: withSystem(privileges) });
    await this.#save();
    return roleId;
  }

  /** Renames a role and replaces its privileges. */
  async updateRole(roleId: number, name: string, privileges: readonly string[]): Promise<void> {
    const role = this.#requireUserRole(roleId);
    if (role.name !== name) this.#requireNewRoleName(name);
    this.#roles.set(roleId, { roleId, name, privileges: withSystem(privileges) });
    await this.#save();
  }

  /** Removes a role, with the permissions that use it unless `failIfUsed`. */
  async removeRole(roleId: number, failIfUsed: boolean): Promise<void> {
    this.#requireUserRole(roleId);
    const users = this.#objects
      .all(ManagedEntity)
      .filter((entity) => entity.permissions.some((p) => p.roleId === roleId));
    if (failIfUsed && users.length > 0) {
      throw new VimFault({ fault: make('RemoveFailed', {}), message: `Role ${roleId} is used by permissions.` });
    }
    for (const entity of users) entity.setPermissions(entity.permissions.filter((p) => p.roleId !== roleId));
    this.#roles.delete(roleId);
    await this.#save();
  }

  /** Sets permissions of principals on an entity, leaving those of others. */
  async setPermissions(entity: ManagedEntity, permissions: readonly Permission[]): Promise<void> {
    for (const { roleId, group } of permissions) {
      if (roleId !== ROLE_ID.Admin && !this.#roles.has(roleId)) throw notFound(`There is no role ${roleId}.`);
      if (group) throw invalidArgument('permission.group', 'This host has no groups: name a user.');
    }
    const principals = new Set(permissions.map((permission) => permission.principal));
    const others = entity.permissions.filter((permission) => !principals.has(permission.principal));
    const own = permissions.map((permission) => ({
      ...permission,
      entity: entity.ref as ManagedObjectReference<'ManagedEntity'>,
    }));
    entity.setPermissions([...others, ...own]);
    await this.#save();
  }

  /** Removes a principal's permission from an entity. */
  async removePermission(entity: ManagedEntity, principal: string): Promise<void> {
    const left = entity.permissions.filter((permission) => permission.principal !== principal);
    if (left.length === entity.permissions.length) throw notFound(`There is no permission of ${principal} here.`);
    entity.setPermissions(left);
    await this.#save();
  }

  /** Forgets the permissions on entities that are gone. */
  async entityRemoved(entity: ManagedEntity): Promise<void> {
    if (entity.permissions.length > 0) await this.#save();
  }

  #roleIdOn(userName: string, entity: ManagedEntity | undefined): number {
    for (let at = entity; at !== undefined; at = at.parent) {
      const permission = at.permissions.find((p) => p.principal === userName && (p.propagate || at === entity));
      if (permission !== undefined) return permission.roleId;
    }
    const root = this.#objects.find({ type: 'Folder', value: 'ha-folder-root' });
    const onRoot = root instanceof ManagedEntity ? root.permissions.find((p) => p.principal === userName) : undefined;
    return onRoot?.roleId ?? ROLE_ID[this.#users.roleOf(userName)];
  }

  #requireUserRole(roleId: number): Role {
    const role = this.#roles.get(roleId);
    if (roleId < 0) throw invalidArgument('roleId', 'The roles of the system cannot be changed.');
    if (role === undefined) throw notFound(`There is no role ${roleId}.`);
    return role;
  }

  #requireNewRoleName(name: string): void {
    if (name === '' || name.length > 80)
      throw new VimFault({
        fault: make('InvalidName', { name }),
        message: 'A role needs a name of 1 to 80 characters.',
      });
    if (this.roles.some((role) => role.name === name)) {
      throw new VimFault({ fault: make('AlreadyExists', { name }), message: `There is a role ${name} already.` });
    }
  }

  async #save(): Promise<void> {
    const document: Document = {
      roles: [...this.#roles.values()].filter((role) => role.roleId >= 0),
      permissions: this.#objects.all(ManagedEntity).flatMap((entity) => entity.permissions),
    };
    await this.#store.write('authorization', document);
  }
}

/** Every privilege that some method needs. */
export function allPrivileges(): readonly string[] {
  const named = methodNames().map((name) => methodMeta(name)?.privilege ?? '');
  return [...new Set([...SYSTEM_PRIVILEGES, ...named, ...Object.values(DYNAMIC_PRIVILEGES), ...CHANGE_PRIVILEGES])]
    .filter((name) => name !== '')
    .toSorted();
}

function withSystem(privileges: readonly string[]): readonly string[] {
  return [...new Set([...SYSTEM_PRIVILEGES, ...privileges])];
}
