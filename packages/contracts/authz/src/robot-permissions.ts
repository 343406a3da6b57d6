import type { PermissionTable } from './permission.ts';

/** What a robot may hold in the system: Harbor's list without preheating, with `scrub`; never the configuration. */
const SYSTEM: PermissionTable = {
  'audit-log': ['list'],
  project: ['list', 'create'],
  'replication-policy': ['read', 'create', 'delete', 'list', 'update'],
  replication: ['read', 'create', 'list'],
  'replication-adapter': ['list'],
  registry: ['read', 'create', 'delete', 'list', 'update'],
  'scan-all': ['read', 'update', 'stop', 'create'],
  'system-volumes': ['read'],
  'garbage-collection': ['read', 'create', 'list', 'update', 'stop'],
  'purge-audit': ['read', 'create', 'list', 'update', 'stop'],
  'jobservice-monitor': ['list', 'stop'],
  scanner: ['read', 'create', 'delete', 'list', 'update'],
  label: ['read', 'create', 'delete', 'update'],
  'security-hub': ['read', 'list'],
  catalog: ['read'],
  quota: ['read', 'list', 'update'],
  robot: ['create', 'read', 'list', 'delete'],
  user: ['create', 'read', 'update', 'list', 'delete'],
  'ldap-user': ['create', 'list'],
  'user-group': ['create', 'read', 'update', 'list', 'delete'],
  scrub: ['read', 'create', 'list', 'stop'],
};

/** What a robot may hold in a project: Harbor's list without preheating, with `trust-policy`. */
const PROJECT: PermissionTable = {
  log: ['list'],
  project: ['read', 'delete', 'update'],
  metadata: ['read', 'create', 'delete', 'list', 'update'],
  repository: ['read', 'update', 'delete', 'list', 'pull', 'push'],
  artifact: ['read', 'create', 'list', 'delete'],
  scan: ['create', 'read', 'stop'],
  sbom: ['create', 'stop', 'read'],
  tag: ['create', 'list', 'delete'],
  accessory: ['list'],
  'artifact-addition': ['read'],
  'artifact-label': ['create', 'delete'],
  scanner: ['create', 'read'],
  'immutable-tag': ['create', 'delete', 'list', 'update'],
  'notification-policy': ['read', 'create', 'delete', 'list', 'update'],
  'tag-retention': ['read', 'create', 'delete', 'list', 'update'],
  label: ['read', 'create', 'delete', 'list', 'update'],
  quota: ['read'],
  robot: ['create', 'read', 'list', 'delete'],
  'export-cve': ['create', 'read'],
  member: ['create', 'read', 'update', 'list', 'delete'],
  'trust-policy': ['create', 'read', 'update', 'delete', 'list'],
};

/** What robots and access tokens may hold at most, by the kind of scope. */
export const ROBOT_PERMISSIONS: Readonly<Record<'system' | 'project', PermissionTable>> = {
  system: SYSTEM,
  project: PROJECT,
};
