import { VicError } from '@vic/errors';
import { type Database, type Schema, type Selectable, isUniqueViolation } from '@vic/sql';
import { randomToken, tokenDigest } from '../credentials/random-secret.ts';
import { type StoredGrant, parseStoredGrants } from '../grants/stored-grants.ts';

/** A personal access token, without itself. */
export interface AccessToken {
  readonly id: number;
  readonly userId: number;
  readonly name: string;
  /** Its first characters. */
  readonly hint: string;
  /** What it allows at most; `undefined` for everything its user may. */
  readonly grants: readonly StoredGrant[] | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number | undefined;
}

/** A token to be made. */
export interface NewAccessToken {
  readonly userId: number;
  readonly name: string;
  readonly grants: readonly StoredGrant[] | undefined;
  readonly expiresAtMs: number;
}

/** What tokens begin with, so that scanners of leaked secrets can tell. */
const PREFIX = 'vicpat_';
const HINT_LENGTH = PREFIX.length + 4;
const MAX_TOKENS_PER_USER = 100;
/** How exactly the last use is known. */
const USED_GRANULARITY_MS = 60_000;

/** Whether a secret has the form of an access token. */
export function isAccessToken(secret: string): boolean {
  return secret.startsWith(PREFIX);
}

/** The table of personal access tokens. */
export class AccessTokenStore {
  readonly #database: Database;
  readonly #clock: () => number;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Makes a token, which is given here and never again. */
  async create(token: NewAccessToken): Promise<{ readonly token: string; readonly entry: AccessToken }> {
    const { length } = await this.list(token.userId);
    if (length >= MAX_TOKENS_PER_USER) {
      throw new VicError({
        class: 'FailedPrecondition',
        code: 'ACCESS_TOKENS_TOO_MANY',
        message: `A user may have ${MAX_TOKENS_PER_USER} access tokens.`,
        remedy: 'Delete one that is no longer used.',
      });
    }
    const secret = `${PREFIX}${randomToken()}`;
    try {
      const row = await this.#database.db
        .insertInto('access_tokens')
        .values({
          user_id: token.userId,
          name: token.name,
          hash: tokenDigest(secret),
          hint: secret.slice(0, HINT_LENGTH),
          grants: token.grants === undefined ? null : JSON.stringify(token.grants),
          created_at_ms: this.#clock(),
          expires_at_ms: token.expiresAtMs,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return { token: secret, entry: tokenOfRow(row) };
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new VicError({
        class: 'AlreadyExists',
        code: 'ACCESS_TOKEN_EXISTS',
        message: `access token ${token.name} already exists`,
        cause: error,
      });
    }
  }

  /** The token with that secret, expired or not. */
  async find(secret: string): Promise<AccessToken | undefined> {
    const row = await this.#database.db
      .selectFrom('access_tokens')
      .selectAll()
      .where('hash', '=', tokenDigest(secret))
      .executeTakeFirst();
    return row === undefined ? undefined : tokenOfRow(row);
  }

  /** Notes that the token was used. */
  async touch(token: AccessToken): Promise<void> {
    const now = this.#clock();
    if (token.lastUsedAtMs !== undefined && token.lastUsedAtMs > now - USED_GRANULARITY_MS) return;
    await this.#database.db
      .updateTable('access_tokens')
      .set({ last_used_at_ms: now })
      .where('id', '=', token.id)
      .execute();
  }

  /** A user's tokens, the oldest first. */
  async list(userId: number): Promise<readonly AccessToken[]> {
    const rows = await this.#database.db
      .selectFrom('access_tokens')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('id')
      .execute();
    return rows.map(tokenOfRow);
  }

  /** Ends a token of a user. */
  async remove(userId: number, id: number): Promise<void> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('access_tokens')
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (numDeletedRows > 0n) return;
    throw new VicError({
      class: 'NotFound',
      code: 'ACCESS_TOKEN_NOT_FOUND',
      message: `access token ${id} not found`,
    });
  }
}

function tokenOfRow(row: Selectable<Schema['access_tokens']>): AccessToken {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    hint: row.hint,
    grants: row.grants === null ? undefined : parseStoredGrants(row.grants),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    lastUsedAtMs: row.last_used_at_ms ?? undefined,
  };
}
