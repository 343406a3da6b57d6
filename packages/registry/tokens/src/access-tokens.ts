import type { Grant, Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import { SignJWT, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { AccountReference } from './token-identity.ts';
import { ALGORITHM, type TokenKeys } from './token-keys.ts';

/** What a token allows on one thing, as its claim says. */
export interface GrantedAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** A signed token and what its receiver needs to know of it. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresInS: number;
  readonly issuedAtMs: number;
}

/** What a token that holds says. */
export interface VerifiedToken {
  /** `undefined` for a token of nobody in particular. */
  readonly account: AccountReference | undefined;
  /** The limits of the credential that the token was made with. */
  readonly grants: readonly Grant[] | undefined;
  readonly access: readonly GrantedAccess[];
}

/** What {@link AccessTokens} is composed of. */
export interface AccessTokensDeps {
  readonly keys: Pick<TokenKeys, 'signingKey' | 'verifyingKey'>;
  /** The setting `token_expiration`, in minutes. */
  tokenExpirationMinutes(): Promise<number>;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}

const ISSUER = 'harbor-token-issuer';
/** Longer ones are not made: a token cannot be called back, and the key that signed it must be kept. */
const MAX_LIFETIME_S = 30 * 24 * 60 * 60;
/** Processes that share a database may differ a little in what time it is. */
const CLOCK_TOLERANCE_S = 30;
/** A client comes with the same token again and again; its signature is checked once. */
const MAX_REMEMBERED = 5_000;

/** Signs and verifies the tokens that clients show to `/v2`. */
export class AccessTokens {
  readonly #deps: AccessTokensDeps;
  readonly #now: () => number;
  readonly #verified = new Map<string, { readonly token: VerifiedToken; readonly expiresAtMs: number }>();

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** A token for the service that gives the principal that access. */
  async issue(principal: Principal, service: string, access: readonly GrantedAccess[]): Promise<IssuedToken> {
    const expiresInS = Math.min(MAX_LIFETIME_S, Math.max(60, 60 * (await this.#deps.tokenExpirationMinutes())));
    const { kid, key } = await this.#deps.keys.signingKey();
    const issuedAtMs = this.#now();
    const issuedAtS = Math.floor(issuedAtMs / 1000);
    const limits = principal.kind === 'user' && principal.grants !== undefined ? { grants: principal.grants } : {};
    const account = principal.kind === 'anonymous' ? {} : { account: { kind: principal.kind, id: principal.id } };
    const token = await new SignJWT({ access, ...account, ...limits })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
      .setIssuer(ISSUER)
      .setSubject(principal.kind === 'anonymous' ? '' : principal.name)
      .setAudience(service)
      .setIssuedAt(issuedAtS)
      .setNotBefore(issuedAtS)
      .setExpirationTime(issuedAtS + expiresInS)
      .setJti(randomUuid())
      .sign(key);
    return { token, expiresInS, issuedAtMs };
  }

  /** What the token says; throws `Unauthenticated` when it is not one of ours, not for the service, or expired. */
  async verify(token: string, service: string): Promise<VerifiedToken> {
    const key = `${service} ${token}`;
    const remembered = this.#verified.get(key);
    if (remembered !== undefined && this.#now() < remembered.expiresAtMs) return remembered.token;
    const claims = await this.#check(token, service);
    if (this.#verified.size >= MAX_REMEMBERED) this.#verified.clear();
    this.#verified.set(key, { token: claims.token, expiresAtMs: claims.expiresAtMs });
    return claims.token;
  }

  async #check(token: string, service: string): Promise<{ token: VerifiedToken; expiresAtMs: number }> {
    try {
      const key = await this.#deps.keys.verifyingKey(decodeProtectedHeader(token).kid ?? '');
      if (key === undefined) throw refused('the token was not issued here');
      const { payload } = await jwtVerify(token, key, {
        issuer: ISSUER,
        audience: service,
        algorithms: [ALGORITHM],
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp', 'iat'],
        currentDate: new Date(this.#now()),
      });
      const { account, access, grants } = payload as Partial<VerifiedToken>;
      return { token: { account, access: access ?? [], grants }, expiresAtMs: (payload.exp ?? 0) * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refused('the token has expired', error);
      if (error instanceof errors.JOSEError || error instanceof TypeError) throw refused('the token is invalid', error);
      throw error;
    }
  }
}

/** Whether the text has the form of our tokens, so that other bearer credentials are left to identity. */
export function isAccessToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}

function refused(message: string, cause?: unknown): VicError {
  return new VicError({ class: 'Unauthenticated', code: 'TOKEN_REFUSED', message, cause });
}
