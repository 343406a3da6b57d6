/** What a user logs in to a registry with; any part may be missing. */
export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  /** Refresh token of an earlier login. */
  readonly identityToken?: string;
  /** Bearer token to use as it is. */
  readonly registryToken?: string;
}

/** Whether there is anything to log in with. */
export function hasCredentials(credentials: RegistryCredentials | undefined): boolean {
  return Boolean(credentials?.username) || Boolean(credentials?.identityToken) || Boolean(credentials?.registryToken);
}

/** The `Authorization` value of a name and password. */
export function basicAuthorization(credentials: RegistryCredentials | undefined): string | undefined {
  if (!credentials?.username) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password ?? ''}`).toString('base64')}`;
}
