import type { LdapGroupOptions, LdapScope } from '@vic/directory';
import { VicError } from '@vic/errors';
import { DEFAULT_ROBOT_PREFIX } from '../robots/robot-name.ts';
import type {
  AuthMode,
  IdentityConfiguration,
  LdapConfiguration,
  OidcConfiguration,
} from './identity-configuration.ts';

/** Settings by Harbor's names: what is absent has Harbor's default. */
export type ConfigurationValues = Readonly<Record<string, unknown>>;

const AUTH_MODES: readonly AuthMode[] = ['db_auth', 'ldap_auth', 'oidc_auth'];
const LDAP_SCOPES: readonly LdapScope[] = ['base', 'one', 'sub'];
const DEFAULT_LDAP_TIMEOUT_S = 5;
const OIDC_TIMEOUT_MS = 10_000;
const DEFAULT_SESSION_MINUTES = 60;
const DEFAULT_ROBOT_DAYS = 30;

/**
 * The configuration in values named as in Harbor's configuration API.
 *
 * Ours are `ldap_start_tls`, `ldap_ca` and `oidc_ca` (PEM).
 */
export function identityConfiguration(values: ConfigurationValues): IdentityConfiguration {
  const authMode = AUTH_MODES.find((mode) => mode === text(values, 'auth_mode', 'db_auth'));
  if (authMode === undefined) throw unknownMode(text(values, 'auth_mode', ''));
  return {
    authMode,
    selfRegistration: flag(values, 'self_registration', false),
    sessionIdleMinutes: number(values, 'session_timeout', DEFAULT_SESSION_MINUTES),
    robotNamePrefix: text(values, 'robot_name_prefix', DEFAULT_ROBOT_PREFIX),
    robotDurationDays: number(values, 'robot_token_duration', DEFAULT_ROBOT_DAYS),
    ldap: text(values, 'ldap_url', '') === '' ? undefined : ldapConfiguration(values),
    oidc: text(values, 'oidc_endpoint', '') === '' ? undefined : oidcConfiguration(values),
  };
}

/** The directory in values named as in Harbor's configuration API. */
export function ldapConfiguration(values: ConfigurationValues): LdapConfiguration {
  const authorities = text(values, 'ldap_ca', '');
  const groups = ldapGroups(values);
  return {
    url: text(values, 'ldap_url', ''),
    searchDn: text(values, 'ldap_search_dn', ''),
    searchPassword: text(values, 'ldap_search_password', ''),
    baseDn: text(values, 'ldap_base_dn', ''),
    filter: text(values, 'ldap_filter', ''),
    uidAttribute: text(values, 'ldap_uid', 'cn'),
    scope: scope(values, 'ldap_scope'),
    startTls: flag(values, 'ldap_start_tls', false),
    verifyCertificate: flag(values, 'ldap_verify_cert', true),
    timeoutMs: number(values, 'ldap_timeout', DEFAULT_LDAP_TIMEOUT_S) * 1000,
    adminGroupDn: text(values, 'ldap_group_admin_dn', ''),
    ...(authorities === '' ? {} : { authorities }),
    ...(groups === undefined ? {} : { groups }),
  };
}

/** As in Harbor, groups are looked up when something about them is configured. */
function ldapGroups(values: ConfigurationValues): LdapGroupOptions | undefined {
  const names = ['ldap_group_base_dn', 'ldap_group_search_filter', 'ldap_group_admin_dn'];
  if (names.every((name) => text(values, name, '') === '')) return undefined;
  return {
    baseDn: text(values, 'ldap_group_base_dn', ''),
    filter: text(values, 'ldap_group_search_filter', ''),
    nameAttribute: text(values, 'ldap_group_attribute_name', 'cn'),
    membershipAttribute: text(values, 'ldap_group_membership_attribute', 'memberof'),
    scope: scope(values, 'ldap_group_search_scope'),
  };
}

function oidcConfiguration(values: ConfigurationValues): OidcConfiguration {
  const authorities = text(values, 'oidc_ca', '');
  return {
    name: text(values, 'oidc_name', 'OIDC'),
    endpoint: text(values, 'oidc_endpoint', ''),
    clientId: text(values, 'oidc_client_id', ''),
    clientSecret: text(values, 'oidc_client_secret', ''),
    scopes: text(values, 'oidc_scope', 'openid')
      .split(/[\s,]+/)
      .filter((item) => item !== ''),
    userClaim: text(values, 'oidc_user_claim', ''),
    groupsClaim: text(values, 'oidc_groups_claim', ''),
    adminGroup: text(values, 'oidc_admin_group', ''),
    groupFilter: text(values, 'oidc_group_filter', ''),
    verifyCertificate: flag(values, 'oidc_verify_cert', true),
    autoOnboard: flag(values, 'oidc_auto_onboard', false),
    logout: flag(values, 'oidc_logout', false),
    extraParameters: parameters(values['oidc_extra_redirect_parms']),
    timeoutMs: OIDC_TIMEOUT_MS,
    ...(authorities === '' ? {} : { authorities }),
  };
}

function text(values: ConfigurationValues, name: string, fallback: string): string {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : fallback;
}

function flag(values: ConfigurationValues, name: string, fallback: boolean): boolean {
  const value = values[name];
  if (typeof value === 'boolean') return value;
  return value === 'true' || (value !== 'false' && fallback);
}

function number(values: ConfigurationValues, name: string, fallback: number): number {
  const value = Number(values[name]);
  return Number.isFinite(value) && value > 0 ? value : fallback;
}

/** Harbor's numbers: 0 the entry, 1 its children, 2 everything below. */
function scope(values: ConfigurationValues, name: string): LdapScope {
  const value = values[name];
  return (value === undefined || value === '' ? undefined : LDAP_SCOPES[Number(value)]) ?? 'sub';
}

/** A JSON object as text, as Harbor keeps it, or as it is. */
function parameters(value: unknown): Readonly<Record<string, string>> {
  const parsed = typeof value === 'string' && value !== '' ? parseJson(value) : value;
  if (typeof parsed !== 'object' || parsed === null) return {};
  return Object.fromEntries(Object.entries(parsed).map(([key, item]) => [key, String(item)]));
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (cause) {
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'OIDC_PARAMETERS_INVALID',
      message: 'The setting oidc_extra_redirect_parms is not a JSON object.',
      cause,
    });
  }
}

function unknownMode(mode: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'AUTH_MODE_UNSUPPORTED',
    message: `The authentication mode ${mode.slice(0, 50)} is not supported.`,
    remedy: `Use one of ${AUTH_MODES.join(', ')}.`,
  });
}
