export { EXAMPLE_DIRECTORY } from './example-directory.ts';
export { SEARCH_ACCOUNT, Slapd, slapdUnavailable } from './slapd.ts';
export { OidcProvider } from './oidc-provider.ts';
export type { ProviderClaims } from './oidc-provider.ts';
