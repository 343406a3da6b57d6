export { OidcClient, pingOidc } from './oidc-client.ts';
export type { OidcFlow, OidcOptions, OidcSignIn } from './oidc-client.ts';
export type { OidcIdentity } from './oidc-identity.ts';
export type { OidcTrust } from './oidc-transport.ts';
export { LdapDirectory } from './ldap-directory.ts';
export type { LdapSignIn, LdapUser } from './ldap-directory.ts';
export type { LdapGroup } from './ldap-groups.ts';
export { normalizeDn } from './ldap-names.ts';
export type { LdapGroupOptions, LdapOptions, LdapScope } from './ldap-options.ts';
