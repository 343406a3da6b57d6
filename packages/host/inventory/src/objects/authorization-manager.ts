import type { Permission } from '@vic/vim';
import type { Call, Handlers } from '../model/call.ts';
import { invalidArgument, notFound } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { allPrivileges } from '../server/authorization.ts';
import { requireSession } from '../server/require-session.ts';

/** Roles and permissions. */
export class AuthorizationManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('AuthorizationManager', WELL_KNOWN.authorizationManager.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {
    roleList: () => this.#host.authorization.roles,
    privilegeList: () =>
      allPrivileges().map((privId) => ({
        privId,
        onParent: false,
        name: privId.slice(privId.lastIndexOf('.') + 1),
        privGroupName: privId.slice(0, privId.lastIndexOf('.')),
      })),
    description: () => ({ privilege: [], privilegeGroup: [] }),
  };

  readonly handlers: Handlers<AuthorizationManager> = {
    AddAuthorizationRole: async (_self, { name, privIds }) => {
      const id = await this.#host.authorization.addRole(name, requireKnown(privIds ?? []));
      this.touch('roleList');
      return id;
    },
    UpdateAuthorizationRole: async (_self, { roleId, newName, privIds }) => {
      await this.#host.authorization.updateRole(roleId, newName, requireKnown(privIds ?? []));
      this.touch('roleList');
      return undefined;
    },
    RemoveAuthorizationRole: async (_self, { roleId, failIfUsed }) => {
      await this.#host.authorization.removeRole(roleId, failIfUsed);
      this.touch('roleList');
      return undefined;
    },
    RetrieveRolePermissions: (_self, { roleId }) => this.#all().filter((permission) => permission.roleId === roleId),
    RetrieveAllPermissions: () => this.#all(),
    RetrieveEntityPermissions: (_self, { entity, inherited }) => this.#ofEntity(this.#entity(entity), inherited),
    SetEntityPermissions: async (_self, { entity, permission }) => {
      const known = new Set((await this.#host.users.list()).map((user) => user.name));
      for (const { principal } of permission ?? [])
        if (!known.has(principal)) throw notFound(`There is no user ${principal.slice(0, 100)}.`);
      await this.#host.authorization.setPermissions(this.#entity(entity), permission ?? []);
      return undefined;
    },
    RemoveEntityPermission: async (_self, { entity, user }) => {
      await this.#host.authorization.removePermission(this.#entity(entity), user);
      return undefined;
    },
    HasPrivilegeOnEntity: (_self, { entity, sessionId, privId }, call) =>
      this.#has(entity, sessionId, privId ?? [], call),
    HasPrivilegeOnEntities: (_self, { entity, sessionId, privId }, call) =>
      entity.map((ref) => ({
        entity: ref,
        privAvailability: this.#has(ref, sessionId, privId ?? [], call).map((isGranted, index) => ({
          privId: privId?.[index] ?? '',
          isGranted,
        })),
      })),
  };

  #has(ref: { type: string; value: string }, sessionId: string, privileges: readonly string[], call: Call): boolean[] {
    const asked = requireSession(call).key === sessionId ? call.session : this.#host.sessions.byKey(sessionId);
    if (asked === undefined) throw notFound('There is no such session.');
    const entity = this.#entity(ref);
    return privileges.map((privilege) => this.#host.authorization.allows(asked.userName, privilege, entity));
  }

  #entity(ref: { type: string; value: string }): ManagedEntity {
    return this.#host.objects.get(ref, ManagedEntity);
  }

  #all(): Permission[] {
    return this.#host.objects.all(ManagedEntity).flatMap((entity) => entity.permissions);
  }

  #ofEntity(entity: ManagedEntity, inherited: boolean): readonly Permission[] {
    if (!inherited) return entity.permissions;
    const permissions: Permission[] = [...entity.permissions];
    for (let at = entity.parent; at !== undefined; at = at.parent)
      permissions.push(...at.permissions.filter((p) => p.propagate));
    return permissions;
  }
}

function requireKnown(privileges: readonly string[]): readonly string[] {
  const known = new Set(allPrivileges());
  const unknown = privileges.find((privilege) => !known.has(privilege));
  if (unknown !== undefined) throw invalidArgument('privIds', `There is no privilege ${unknown.slice(0, 100)}.`);
  return privileges;
}
