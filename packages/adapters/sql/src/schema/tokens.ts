import type { Generated } from 'kysely';

/** Keys that sign the access tokens of all processes. */
export interface TokenKeysTable {
  readonly id: Generated<number>;
  /** The RFC 7638 thumbprint, as in the tokens' header. */
  readonly kid: string;
  readonly algorithm: string;
  /** JWK, sealed. */
  readonly private_key: string;
  readonly public_key: string;
  readonly created_at_ms: number;
  /** Signs no more since then, and is forgotten once the last token it signed has expired. */
  retired_at_ms: number | null;
}

/** Identity tokens: a client keeps one instead of a password. */
export interface RefreshTokensTable {
  readonly id: Generated<number>;
  /** SHA-256 of the token. */
  readonly hash: string;
  readonly principal_kind: 'user' | 'robot';
  readonly principal_id: number;
  /** JSON of the grants the credential had that it was made with; null when it had no limits of its own. */
  readonly grants: string | null;
  /** Changes with the account's password: a token made with an earlier one is refused. */
  readonly credential: string;
  readonly client_id: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
}

/** The tables of `tokens`. */
export interface TokensTables {
  token_keys: TokenKeysTable;
  refresh_tokens: RefreshTokensTable;
}
