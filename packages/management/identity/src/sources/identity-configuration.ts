import type { LdapOptions, OidcOptions } from '@vic/directory';

/** Where people who are not local users sign in. */
export type AuthMode = 'db_auth' | 'ldap_auth' | 'oidc_auth';

/** An LDAP directory as a source of users. */
export interface LdapConfiguration extends LdapOptions {
  /** Members of this group are system administrators; nobody when empty. */
  readonly adminGroupDn: string;
}

/** An OIDC provider as a source of users. */
export interface OidcConfiguration extends Omit<OidcOptions, 'redirectUri'> {
  /** What people read on the button. */
  readonly name: string;
  /** Members of this group are system administrators; nobody when empty. */
  readonly adminGroup: string;
  /** A regular expression; groups that do not match are not taken over. */
  readonly groupFilter: string;
  /** Takes the name from the provider instead of asking the user. */
  readonly autoOnboard: boolean;
  /** Signs out at the provider as well. */
  readonly logout: boolean;
}

/** What an administrator can set that matters to identity. */
export interface IdentityConfiguration {
  readonly authMode: AuthMode;
  readonly selfRegistration: boolean;
  readonly sessionIdleMinutes: number;
  readonly robotNamePrefix: string;
  readonly robotDurationDays: number;
  /** Present when `authMode` is `ldap_auth`, or the directory is configured. */
  readonly ldap: LdapConfiguration | undefined;
  readonly oidc: OidcConfiguration | undefined;
}

/** Gives the configuration as it is now. */
export interface IdentitySettings {
  current(): Promise<IdentityConfiguration>;
}
