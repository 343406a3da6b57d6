import { ANONYMOUS, type Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { Credentials } from '@vic/rest';
import { wrongCredentials } from '../protection/sign-in-refused.ts';
import { type CookieSettings, readCookie } from '../sessions/session-cookie.ts';
import { type SessionStore, isCsrfToken } from '../sessions/session-store.ts';
import type { IdentitySettings } from '../sources/identity-configuration.ts';
import type { UserStore } from '../users/user-store.ts';
import type { PasswordAuthenticator } from './password-authenticator.ts';
import type { Principals } from './principals.ts';

/** What {@link RequestAuthenticator} is composed of. */
export interface RequestAuthenticatorDeps {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly principals: Principals;
  readonly passwords: PasswordAuthenticator;
  readonly settings: IdentitySettings;
  readonly cookies: CookieSettings;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Finds out who makes a request: by `Authorization`, or by the cookie of a session. */
export class RequestAuthenticator {
  readonly #deps: RequestAuthenticatorDeps;

  constructor(deps: RequestAuthenticatorDeps) {
    this.#deps = deps;
  }

  /** Anonymous without credentials; throws `Unauthenticated` for wrong ones. */
  async authenticate(credentials: Credentials): Promise<Principal> {
    if (credentials.authorization !== undefined) {
      return this.#byHeader(credentials.authorization, credentials.address);
    }
    const cookie = readCookie(credentials.cookie, 'session', this.#deps.cookies);
    return cookie === undefined ? ANONYMOUS : this.#bySession(cookie, credentials);
  }

  async #byHeader(header: string, address: string): Promise<Principal> {
    const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(header.trim()) ?? [];
    switch (scheme.toLowerCase()) {
      case 'basic': {
        const decoded = Buffer.from(value, 'base64').toString('utf8');
        const colon = decoded.indexOf(':');
        if (colon < 0) throw wrongCredentials();
        return this.#deps.passwords.verify(decoded.slice(0, colon), decoded.slice(colon + 1), address);
      }
      case 'bearer':
        return this.#deps.passwords.verifyToken(value);
      default:
        throw wrongCredentials();
    }
  }

  /** A session that has ended is as none: the browser is asked to sign in, not told of an error. */
  async #bySession(cookie: string, { method, csrfToken }: Credentials): Promise<Principal> {
    const { sessionIdleMinutes } = await this.#deps.settings.current();
    const session = await this.#deps.sessions.use(cookie, sessionIdleMinutes * 60_000);
    const user = session === undefined ? undefined : await this.#deps.users.find(session.userId);
    if (user === undefined) return ANONYMOUS;
    if (!SAFE_METHODS.has(method) && !isCsrfToken(cookie, csrfToken)) throw csrfRefused();
    return this.#deps.principals.ofUser(user);
  }
}

function csrfRefused(): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'CSRF_TOKEN_WRONG',
    message: 'CSRF token invalid: the request did not come from a page of ours',
    remedy: 'Send the header X-Harbor-CSRF-Token with the csrf_token of the session.',
  });
}
