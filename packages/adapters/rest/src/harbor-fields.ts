const OBJECT = ['id', 'name', 'description', 'creation_time', 'update_time'];
const USER = [
  ...['user_id', 'username', 'email', 'realname', 'comment', 'password', 'old_password', 'new_password', 'secret'],
  ...['sysadmin_flag', 'admin_role_in_auth', 'oidc_user_meta', 'creation_time', 'update_time'],
];
const PROJECT = [
  ...['project_id', 'owner_id', 'owner_name', 'name', 'deleted', 'togglable', 'repo_count', 'chart_count'],
  ...['current_user_role_id', 'current_user_role_ids', 'creation_time', 'update_time'],
];
const ROBOT = [
  ...OBJECT,
  ...['level', 'duration', 'disable', 'editable', 'permissions', 'expires_at'],
  ...['creator_type', 'creator_ref', 'last_used_time'],
];
const SCANNER = [
  ...['uuid', 'is_default', 'create_time', 'update_time', 'adapter', 'vendor', 'version', 'health', 'capabilities'],
  ...['name', 'description', 'url', 'auth', 'access_credential', 'skip_certVerify', 'use_internal_addr', 'disabled'],
];
const REGISTRY = [...OBJECT, 'type', 'url', 'insecure', 'ca_certificate', 'status', 'credential', 'credential_type'];
const SCHEDULE = [...OBJECT, 'status', 'parameters', 'deleted', 'job_name', 'job_kind', 'job_parameters', 'job_status'];

/**
 * What Harbor's objects, and ours in answers, have besides what a body of theirs is read for: clients send whole
 * objects back, and one object for several purposes. By the path without its parameters.
 */
const HARBOR_FIELDS: Readonly<Record<string, readonly string[]>> = {
  users: USER,
  'users/password': USER,
  'users/sysadmin': USER,
  'users/cli_secret': USER,
  usergroups: ['id'],
  robots: ROBOT,
  'projects/robots': ROBOT,
  projects: PROJECT,
  'projects/members': [
    'id',
    'project_id',
    'entity_id',
    'entity_name',
    'entity_type',
    'role_name',
    'member_user',
    'member_group',
  ],
  'projects/repositories': [...OBJECT, 'project_id', 'artifact_count', 'pull_count'],
  'projects/repositories/artifacts/tags': ['id', 'repository_id', 'artifact_id', 'push_time', 'pull_time', 'immutable'],
  'projects/repositories/artifacts/labels': [...OBJECT, 'color', 'scope', 'project_id', 'deleted'],
  'projects/scanner': SCANNER,
  'projects/webhook/policies': [...OBJECT, 'project_id', 'creator'],
  'system/CVEAllowlist': OBJECT,
  labels: [...OBJECT, 'deleted'],
  quotas: [...OBJECT, 'ref', 'used'],
  'retentions/executions': ['id', 'policy_id', 'start_time', 'end_time', 'status', 'trigger'],
  scanners: SCANNER,
  'scanners/ping': SCANNER,
  registries: REGISTRY,
  'registries/ping': REGISTRY,
  'replication/policies': [...OBJECT, 'creator', 'lag'],
  'replication/executions': ['id', 'status', 'trigger', 'start_time', 'end_time', 'status_text'],
  'system/gc/schedule': SCHEDULE,
  'system/scanAll/schedule': SCHEDULE,
  'system/purgeaudit/schedule': SCHEDULE,
  'system/scrub/schedule': SCHEDULE,
};

/** The fields that the body of a route may have although nobody reads them. */
export function harborFields(route: string, prefix: string): readonly string[] {
  const path = route.slice(prefix.length).split('/');
  const name = path.filter((segment) => segment !== '' && !segment.startsWith(':')).join('/');
  return HARBOR_FIELDS[name] ?? [];
}
