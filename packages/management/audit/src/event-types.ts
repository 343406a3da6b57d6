/** The types of records that Harbor lists, and those of our own that are about artifacts. */
export const EVENT_TYPES: readonly string[] = [
  'create_artifact',
  'delete_artifact',
  'pull_artifact',
  'create_project',
  'delete_project',
  'delete_repository',
  'login_user',
  'logout_user',
  'create_user',
  'delete_user',
  'update_user',
  'create_robot',
  'delete_robot',
  'update_configuration',
  'create_member',
  'delete_member',
  'update_member',
  'update_project',
  'create_tag',
  'delete_tag',
];

/** What `other` stands for in a purge. */
export const PURGED_BY_OTHER: readonly string[] = EVENT_TYPES.filter((type) => !type.endsWith('_artifact'));
