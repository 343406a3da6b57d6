import { EVERY_PROJECT, type Action, type Grant, type Resource } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type Static, Type } from '@vic/http';

const MAX_PERMISSIONS = 200;
const MAX_ACCESSES = 500;

/** Harbor's form of one permission. */
export const AccessSchema = Type.Object({
  resource: Type.String({ maxLength: 100 }),
  action: Type.String({ maxLength: 100 }),
  effect: Type.Optional(Type.String({ maxLength: 20 })),
});

/** Harbor's form of the permissions in one place. */
export const WirePermissionSchema = Type.Object({
  kind: Type.String({ maxLength: 20 }),
  namespace: Type.String({ maxLength: 255 }),
  access: Type.Array(AccessSchema, { maxItems: MAX_ACCESSES }),
});

/** Harbor's form of grants. */
export const WirePermissionsSchema = Type.Array(WirePermissionSchema, { maxItems: MAX_PERMISSIONS });

/** One entry of Harbor's form. */
export type WirePermission = Static<typeof WirePermissionSchema>;

/** The grants a client asked for; what they may hold is checked by `validateGrants`. */
export function grantsFromWire(permissions: readonly WirePermission[]): readonly Grant[] {
  return permissions.map((permission) => ({
    scope: scopeFromWire(permission),
    permissions: permission.access.map(({ resource, action, effect = 'allow' }) => {
      if (effect !== 'allow' && effect !== '') throw invalid(`bad request permission effect: ${effect}`);
      // Names that are none are refused by the table of what can be granted.
      return { resource: resource as Resource, action: action as Action };
    }),
  }));
}

/** Grants in Harbor's form. */
export function grantsToWire(grants: readonly Grant[]): readonly WirePermission[] {
  return grants.map(({ scope, permissions }) => ({
    kind: scope.kind,
    namespace: scope.kind === 'system' ? '/' : scope.project,
    access: permissions.map(({ resource, action }) => ({ resource, action, effect: 'allow' })),
  }));
}

function scopeFromWire({ kind, namespace }: WirePermission): Grant['scope'] {
  if (kind === 'system' && namespace === '/') return { kind };
  if (kind === 'system') throw invalid('bad request permission: the namespace of system permissions is /');
  if (kind === 'project' && namespace !== '') return { kind, project: namespace === '*' ? EVERY_PROJECT : namespace };
  throw invalid(`bad request permission level: ${kind}`);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'PERMISSION_INVALID', message });
}
