import { LDAP_SETTINGS, OIDC_SETTINGS } from './directory-settings.ts';
import { type SettingDefinition, choice, flag, text, wholeNumber } from './setting-definition.ts';

/** Ten nines is the longest number that Harbor's forms take. */
const TEN_DIGITS = 9_999_999_999;
const MAX_STORAGE_BYTES = 1024 ** 5;

/** Every setting there is, by Harbor's name where Harbor has it. */
export const SETTING_DEFINITIONS = {
  auth_mode: choice(['db_auth', 'ldap_auth', 'oidc_auth'], 'db_auth', 'Where users sign in.'),
  primary_auth_mode: flag(false, 'Whether the sign-in page goes to the provider without asking.'),
  self_registration: flag(false, 'Whether people may make users for themselves.'),
  project_creation_restriction: choice(['everyone', 'adminonly'], 'everyone', 'Who may make projects.'),
  read_only: flag(false, 'Whether changes are refused.'),
  token_expiration: wholeNumber(30, { min: 1, max: TEN_DIGITS }, 'Minutes for which a token of /v2 is good.'),
  session_timeout: wholeNumber(60, { min: 1, max: TEN_DIGITS }, 'Minutes after which an idle session ends.'),
  robot_token_duration: wholeNumber(30, { min: 1, max: TEN_DIGITS }, 'Days for which a robot is good by default.'),
  robot_name_prefix: text('robot-', 'What the names of robots begin with.', robotPrefix),
  storage_per_project: {
    ...wholeNumber(-1, { min: -1, max: MAX_STORAGE_BYTES }, 'Bytes a new project may store; -1 for any number.'),
    refusal: (value: number) =>
      value === -1 || (Number.isSafeInteger(value) && value > 0 && value <= MAX_STORAGE_BYTES)
        ? undefined
        : 'must be -1 or greater than zero',
  },
  notification_enable: flag(true, 'Whether webhooks are called.'),
  pull_audit_log_disable: flag(false, 'Whether pulls are left out of the audit log.'),
  audit_log_forward_endpoint: text('', 'The syslog server that audit records are sent to: host:port or a URL.'),
  skip_audit_log_database: flag(false, 'Whether audit records are removed from the database once they are sent.'),
  disabled_audit_log_event_types: text('', 'Operations that are not recorded, such as create_user, by commas.'),
  banner_message: text('', 'What every page of the user interface shows.'),
  ...LDAP_SETTINGS,
  ...OIDC_SETTINGS,
} as const satisfies Readonly<Record<string, SettingDefinition>>;

/** The name of a setting. */
export type SettingName = keyof typeof SETTING_DEFINITIONS;

/** Every setting with its value. */
export type SettingValues = {
  readonly [N in SettingName]: (typeof SETTING_DEFINITIONS)[N]['default'];
};

/** Whether there is a setting of that name. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTING_DEFINITIONS, name);
}

function robotPrefix(value: string): string | undefined {
  return /^[\w.$-]{1,32}$/.test(value) ? undefined : 'must be 1 to 32 letters, digits, or . _ - $';
}
