import { flag, secret, text, wholeNumber } from './setting-definition.ts';

const SCOPE_LIMITS = { min: 0, max: 2 };
const LDAP_TIMEOUT_LIMITS = { min: 1, max: 300 };

/** Where users and groups come from: LDAP. */
export const LDAP_SETTINGS = {
  ldap_url: text('', 'The URL of the LDAP server.', urlOf(['ldap:', 'ldaps:'])),
  ldap_search_dn: text('', 'The DN of the user that searches.'),
  ldap_search_password: secret('The password of the user that searches.'),
  ldap_base_dn: text('', 'Below which users are searched.'),
  ldap_filter: text('', 'The filter that users match besides.'),
  ldap_uid: text('cn', 'The attribute that is the name of a user.', notEmpty),
  ldap_scope: wholeNumber(2, SCOPE_LIMITS, 'How deep users are searched: 0 base, 1 one level, 2 everything below.'),
  ldap_timeout: wholeNumber(5, LDAP_TIMEOUT_LIMITS, 'Seconds the server has to answer.'),
  ldap_verify_cert: flag(true, "Whether the server's certificate is verified."),
  ldap_start_tls: flag(false, 'Whether a plain connection changes to TLS before anything is said.'),
  ldap_ca: text('', "Certificates (PEM) that vouch for the server's, besides the system's."),
  ldap_group_base_dn: text('', 'Below which groups are searched.'),
  ldap_group_search_filter: text('', 'The filter that groups match.'),
  ldap_group_attribute_name: text('cn', 'The attribute that is the name of a group.'),
  ldap_group_search_scope: wholeNumber(2, SCOPE_LIMITS, 'How deep groups are searched.'),
  ldap_group_admin_dn: text('', 'The DN of the group whose members are system administrators.'),
  ldap_group_membership_attribute: text('memberof', "The attribute of a user that lists the user's groups."),
};

/** Where users and groups come from: OpenID Connect. */
export const OIDC_SETTINGS = {
  oidc_name: text('', 'The name of the provider, as users know it.'),
  oidc_endpoint: text('', "The provider's issuer URL.", urlOf(['https:', 'http:'])),
  oidc_client_id: text('', 'The id this registry has at the provider.'),
  oidc_client_secret: secret('The secret this registry has at the provider.'),
  oidc_groups_claim: text('', 'The claim that lists the groups of a user.'),
  oidc_admin_group: text('', 'The group whose members are system administrators.'),
  oidc_group_filter: text('', 'A regular expression that groups match to be known here.', regularExpression),
  oidc_scope: text('openid', 'The scopes asked for, separated by commas.'),
  oidc_user_claim: text('', 'The claim that is the name of a user.'),
  oidc_verify_cert: flag(true, "Whether the provider's certificate is verified."),
  oidc_ca: text('', "Certificates (PEM) that vouch for the provider's, besides the system's."),
  oidc_auto_onboard: flag(false, 'Whether users are made at their first sign-in without being asked for a name.'),
  oidc_extra_redirect_parms: text('{}', 'Parameters (a JSON object) added to the redirection.', jsonObject),
  oidc_logout: flag(false, 'Whether signing out here signs out at the provider.'),
};

function notEmpty(value: string): string | undefined {
  return value === '' ? 'must not be empty' : undefined;
}

function urlOf(protocols: readonly string[]): (value: string) => string | undefined {
  return (value) => {
    if (value === '' || protocols.includes(URL.parse(value)?.protocol ?? '')) return undefined;
    return `must be a URL with ${protocols.join(' or ')}`;
  };
}

function regularExpression(value: string): string | undefined {
  try {
    new RegExp(value, 'v');
    return undefined;
  } catch {
    return 'must be a regular expression';
  }
}

function jsonObject(value: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(value === '' ? '{}' : value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return undefined;
  } catch {
    // Refused below.
  }
  return 'must be a JSON object';
}
