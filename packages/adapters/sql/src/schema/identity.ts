import type { Generated } from 'kysely';

/** A person. Removal is real deletion; what belongs to the user goes with the row. */
export interface UsersTable {
  readonly id: Generated<number>;
  name: string;
  /** The name in lower case: two users never differ by case alone. */
  name_key: string;
  /** Where the user signs in: here, or at an outside source. */
  readonly source: 'local' | 'ldap' | 'oidc';
  /** The user's key at that source: the DN, or subject and issuer; null for local users. */
  subject: string | null;
  email: string;
  real_name: string;
  comment: string;
  /** 1 when given to the user here. */
  system_administrator: number;
  /** 1 when the administrators' group of the source had the user at the last sign-in. */
  administrator_by_source: number;
  /** PHC string; null for users of an outside source. */
  password_hash: string | null;
  /** PHC string of the secret that command-line clients of an OIDC user sign in with. */
  cli_secret_hash: string | null;
  cli_secret_updated_at_ms: number | null;
  last_sign_in_at_ms: number | null;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** A group, made here or met at an outside source. */
export interface UserGroupsTable {
  readonly id: Generated<number>;
  name: string;
  /** As in Harbor's API: 1 LDAP, 3 OIDC; 4 made here. */
  readonly type: number;
  /** What no two groups of a type share: the DN, or the name, in lower case. */
  key: string;
  /** The DN of an LDAP group as it was written. */
  readonly ldap_dn: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Who is in a group; for outside groups as of the user's last sign-in. */
export interface UserGroupMembersTable {
  readonly group_id: number;
  readonly user_id: number;
}

/** A browser's session. */
export interface UserSessionsTable {
  /** SHA-256 of the cookie. */
  readonly id: string;
  readonly user_id: number;
  readonly address: string;
  readonly user_agent: string;
  readonly created_at_ms: number;
  last_seen_at_ms: number;
  readonly expires_at_ms: number;
  /** The ID token, encrypted, to end the session at the provider as well. */
  readonly id_token: string | null;
}

/** A personal access token. */
export interface AccessTokensTable {
  readonly id: Generated<number>;
  readonly user_id: number;
  readonly name: string;
  /** SHA-256 of the token. */
  readonly hash: string;
  /** The first characters, to recognise it by. */
  readonly hint: string;
  /** JSON array of stored grants; null for everything the user may. */
  readonly grants: string | null;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  last_used_at_ms: number | null;
}

/** A robot account. */
export interface RobotsTable {
  readonly id: Generated<number>;
  /** Without the prefix; with the project and `+` for a project's. */
  readonly name: string;
  description: string;
  readonly level: 'system' | 'project';
  /** 0 for a robot of the system. */
  readonly project_id: number;
  /** Days; −1 for ever. */
  duration_days: number;
  /** −1 for never. */
  expires_at_ms: number;
  disabled: number;
  /** PHC string. */
  secret_hash: string;
  /** JSON array of stored grants. */
  grants: string;
  /** `system` for those the product made for itself, which no list shows. */
  readonly creator_kind: 'user' | 'robot' | 'system';
  readonly creator_id: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
  last_used_at_ms: number | null;
}

/** Failed sign-ins of an account, an address, or the two together. */
export interface LoginFailuresTable {
  readonly key: string;
  failures: number;
  last_failure_at_ms: number;
  blocked_until_ms: number;
}

/** Addresses an account has signed in from, which others' failures do not lock out. */
export interface LoginAddressesTable {
  readonly user_id: number;
  readonly address: string;
  last_success_at_ms: number;
}

/** A sign-in at an OIDC provider that is under way. */
export interface SignInFlowsTable {
  /** SHA-256 of the browser's cookie. */
  readonly id: string;
  /** What is remembered, encrypted. */
  data: string;
  readonly expires_at_ms: number;
}

/** The tables of `identity`. */
export interface IdentityTables {
  users: UsersTable;
  user_groups: UserGroupsTable;
  user_group_members: UserGroupMembersTable;
  user_sessions: UserSessionsTable;
  access_tokens: AccessTokensTable;
  robots: RobotsTable;
  login_failures: LoginFailuresTable;
  login_addresses: LoginAddressesTable;
  sign_in_flows: SignInFlowsTable;
}
