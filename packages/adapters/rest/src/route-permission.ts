import type { Permission } from '@vic/authz';

/**
 * Who may call a route.
 *
 * `project` routes name their project in a path parameter `project_name_or_id` (or `project_name`, `project_id`)
 * unless `resolve` finds it another way; a project that the caller may not even read is answered as if it were
 * not there.
 */
export type RoutePermission =
  | { readonly scope: 'public' }
  | { readonly scope: 'authenticated' }
  | ({ readonly scope: 'system' } & Permission)
  | ({ readonly scope: 'project' } & Permission)
  /** The handler asks `rest` itself, for objects whose project is known only after reading them. */
  | ({ readonly scope: 'object' } & Permission);

/** What the audit log says of a successful or failed call. */
export interface RouteAudit {
  readonly operation: 'create' | 'update' | 'delete' | 'operate' | 'login' | 'logout';
  /** As in Harbor's audit log: `project`, `user`, `robot`, `member`, `configuration` … */
  readonly resourceType: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly permission?: RoutePermission;
    readonly audit?: RouteAudit;
  }
}

/** The part of a route's options that declares who may call it and, for changes, how it is audited. */
export function permits(
  permission: RoutePermission,
  audit?: RouteAudit,
): { config: { permission: RoutePermission; audit?: RouteAudit } } {
  return { config: audit === undefined ? { permission } : { permission, audit } };
}
