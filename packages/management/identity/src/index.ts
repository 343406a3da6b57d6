export { Identity } from './identity.ts';
export type { IdentityDeps } from './identity.ts';
export { identityConfiguration } from './sources/configuration-values.ts';
export type { ConfigurationValues } from './sources/configuration-values.ts';
export type {
  AuthMode,
  IdentityConfiguration,
  IdentitySettings,
  LdapConfiguration,
  OidcConfiguration,
} from './sources/identity-configuration.ts';
export type { ProjectLookup } from './grants/project-lookup.ts';
export type { User } from './users/user.ts';
export type { Group } from './groups/group.ts';
export type { GroupReference, UserReference } from './users/accounts.ts';
export type { GivenPassword } from './users/local-users.ts';
export type { PasswordCost } from './credentials/password-hash.ts';
export { identityRoutes } from './rest/identity-routes.ts';
export type { IdentityRoutesDeps } from './rest/identity-routes.ts';
export type { ProjectAdministrators } from './rest/permission-routes.ts';
export { isAccessToken } from './tokens/access-token-store.ts';
export { resealSignIns } from './sources/oidc-sign-in.ts';
