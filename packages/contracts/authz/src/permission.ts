/** What a permission is about: Harbor's resources, and `scrub` and `trust-policy` of our own. */
export type Resource =
  | 'accessory'
  | 'artifact'
  | 'artifact-addition'
  | 'artifact-label'
  | 'audit-log'
  | 'catalog'
  | 'configuration'
  | 'cve-allowlist'
  | 'export-cve'
  | 'garbage-collection'
  | 'immutable-tag'
  | 'jobservice-monitor'
  | 'label'
  | 'ldap-user'
  | 'log'
  | 'member'
  | 'metadata'
  | 'notification-policy'
  | 'project'
  | 'purge-audit'
  | 'quota'
  | 'registry'
  | 'replication'
  | 'replication-adapter'
  | 'replication-policy'
  | 'repository'
  | 'robot'
  | 'sbom'
  | 'scan'
  | 'scan-all'
  | 'scanner'
  | 'scrub'
  | 'security-hub'
  | 'system-volumes'
  | 'tag'
  | 'tag-retention'
  | 'trust-policy'
  | 'user'
  | 'user-group';

/** What a permission allows on its resource. */
export type Action =
  | 'create'
  | 'read'
  | 'update'
  | 'delete'
  | 'list'
  | 'operate'
  | 'push'
  | 'pull'
  | 'scanner-pull'
  | 'stop';

/** One thing that may be done. */
export interface Permission {
  readonly resource: Resource;
  readonly action: Action;
}

/** Permissions by resource: the form in which the matrices are written. */
export type PermissionTable = Readonly<Partial<Record<Resource, readonly Action[]>>>;

/** Whether the table holds the permission. */
export function tableAllows(table: PermissionTable, { resource, action }: Permission): boolean {
  // Names come from clients: `constructor` is no resource.
  return Object.hasOwn(table, resource) && table[resource]?.includes(action) === true;
}

/** The permissions of a table one by one, in its order. */
export function permissionsIn(table: PermissionTable): readonly Permission[] {
  return Object.entries(table).flatMap(([resource, actions]) =>
    actions.map((action) => ({ resource: resource as Resource, action })),
  );
}

/** `repository:pull`, as people read and write it. */
export function permissionText({ resource, action }: Permission): string {
  return `${resource}:${action}`;
}
