import { createHash, randomBytes } from 'node:crypto';
import type { Grant, Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { Database } from '@vic/sql';
import { credentialMark } from './credential-mark.ts';
import { type AccountReference, type TokenIdentity, currentPrincipal } from './token-identity.ts';

/** What {@link RefreshTokens} is composed of. */
export interface RefreshTokensDeps {
  readonly database: Database;
  readonly identity: Pick<TokenIdentity, 'renewPrincipal'>;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}

const PREFIX = 'vicr_';
const SECRET_BYTES = 32;
const LIFETIME_MS = 90 * 24 * 60 * 60 * 1000;
/** Someone who signs in again and again does not fill the table. */
const MAX_PER_ACCOUNT = 100;
const MAX_CLIENT_ID_LENGTH = 200;

/** Identity tokens: what clients keep instead of a password, for 90 days or until the password is changed. */
export class RefreshTokens {
  readonly #deps: RefreshTokensDeps;
  readonly #now: () => number;

  constructor(deps: RefreshTokensDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** A new token for the principal; `undefined` for nobody in particular. */
  async issue(principal: Principal, clientId: string): Promise<string | undefined> {
    if (principal.kind === 'anonymous') return undefined;
    const token = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
    const nowMs = this.#now();
    const grants = principal.kind === 'user' ? principal.grants : undefined;
    await this.#deps.database.transaction(async (transaction) => {
      const kept = await transaction
        .selectFrom('refresh_tokens')
        .select('id')
        .where('principal_kind', '=', principal.kind)
        .where('principal_id', '=', principal.id)
        .where('expires_at_ms', '>', nowMs)
        .orderBy('id', 'desc')
        .limit(MAX_PER_ACCOUNT - 1)
        .execute();
      const oldest = kept.at(-1)?.id ?? 0;
      await transaction
        .deleteFrom('refresh_tokens')
        .where('principal_kind', '=', principal.kind)
        .where('principal_id', '=', principal.id)
        .where((eb) => eb.or([eb('id', '<', oldest), eb('expires_at_ms', '<=', nowMs)]))
        .execute();
      await transaction
        .insertInto('refresh_tokens')
        .values({
          hash: hashOf(token),
          principal_kind: principal.kind,
          principal_id: principal.id,
          grants: grants === undefined ? null : JSON.stringify(grants),
          credential: (await credentialMark(transaction, principal)) ?? '',
          client_id: clientId.slice(0, MAX_CLIENT_ID_LENGTH),
          created_at_ms: nowMs,
          expires_at_ms: nowMs + LIFETIME_MS,
        })
        .execute();
    });
    return token;
  }

  /** Who holds the token, as the account is now; throws `Unauthenticated` when it does not hold any more. */
  async redeem(token: string): Promise<Principal> {
    const row = await this.#deps.database.db
      .selectFrom('refresh_tokens')
      .selectAll()
      .where('hash', '=', hashOf(token))
      .executeTakeFirst();
    if (row === undefined || row.expires_at_ms <= this.#now()) throw refused();
    const account: AccountReference = { kind: row.principal_kind, id: row.principal_id };
    const principal = await currentPrincipal(this.#deps.identity, account);
    if (principal === undefined) throw refused();
    if ((await credentialMark(this.#deps.database.db, account)) !== row.credential) throw refused();
    if (row.grants === null || principal.kind !== 'user') return principal;
    return { ...principal, grants: JSON.parse(row.grants) as Grant[] };
  }

  /** Makes every token of the account worthless. */
  async revoke(account: AccountReference): Promise<void> {
    await this.#deps.database.db
      .deleteFrom('refresh_tokens')
      .where('principal_kind', '=', account.kind)
      .where('principal_id', '=', account.id)
      .execute();
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function refused(): VicError {
  return new VicError({
    class: 'Unauthenticated',
    code: 'REFRESH_TOKEN_REFUSED',
    message: 'the identity token is not valid any more',
    remedy: 'Sign in again with docker login.',
  });
}
