/** What a permission is about: Harbor's resources, and `trust-policy` of our own. */
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
  | 'start'
  | 'stop';

/** One thing that may be done. */
export interface Permission {
  readonly resource: Resource;
  readonly action: Action;
}
