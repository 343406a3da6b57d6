import type { Schema, Selectable } from '@vic/sql';

/** A person known here. */
export interface User {
  readonly id: number;
  readonly name: string;
  /** Where the user signs in. */
  readonly source: 'local' | 'ldap' | 'oidc';
  /** The user's key at an outside source. */
  readonly subject: string | undefined;
  readonly email: string;
  readonly realName: string;
  readonly comment: string;
  /** As given here. */
  readonly systemAdministrator: boolean;
  /** Through the administrators' group of the source, as of the last sign-in. */
  readonly administratorBySource: boolean;
  /** When the secret for command-line clients was set; `undefined` when there is none. */
  readonly cliSecretUpdatedAtMs: number | undefined;
  readonly lastSignInAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What a user may be called by others. */
export interface UserProfile {
  readonly email: string;
  readonly realName: string;
  readonly comment: string;
}

/** A local user to be made. */
export interface NewUser extends UserProfile {
  readonly name: string;
  readonly password: string;
}

/** A user as an outside source describes one. */
export interface SourceUser {
  readonly source: 'ldap' | 'oidc';
  readonly subject: string;
  readonly name: string;
  readonly email: string;
  readonly realName: string;
  readonly administrator: boolean;
}

/** The user of a row, without what verifies the user. */
export function userOfRow(row: Selectable<Schema['users']>): User {
  return {
    id: row.id,
    name: row.name,
    source: row.source,
    subject: row.subject ?? undefined,
    email: row.email,
    realName: row.real_name,
    comment: row.comment,
    systemAdministrator: row.system_administrator === 1,
    administratorBySource: row.administrator_by_source === 1,
    cliSecretUpdatedAtMs: row.cli_secret_updated_at_ms ?? undefined,
    lastSignInAtMs: row.last_sign_in_at_ms ?? undefined,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

/** The form of a name in which equal names are equal. */
export function nameKey(name: string): string {
  return name.trim().normalize('NFC').toLowerCase();
}
