import { type Permission, type PermissionTable, permissionsIn } from './permission.ts';
import { ROBOT_PERMISSIONS } from './robot-permissions.ts';

/** What exists in the system beyond what robots may hold there. */
const ADMINISTRATORS_ONLY: PermissionTable = {
  configuration: ['read', 'update'],
  'cve-allowlist': ['read', 'update'],
  project: ['read', 'update', 'delete'],
  replication: ['update', 'delete'],
  'garbage-collection': ['delete'],
  'scan-all': ['delete', 'list'],
  'jobservice-monitor': ['read'],
  label: ['list'],
  robot: ['update'],
};

/** Every permission of the system, all of which a system administrator has. */
export const SYSTEM_PERMISSIONS: readonly Permission[] = [
  ...permissionsIn(ROBOT_PERMISSIONS.system),
  ...permissionsIn(ADMINISTRATORS_ONLY),
];
