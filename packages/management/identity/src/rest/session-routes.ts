import { type HttpApplication, type HttpReply, type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits, principalOf } from '@vic/rest';
import type { Identity } from '../identity.ts';
import { SignInBlockedError, wrongCredentials } from '../protection/sign-in-refused.ts';
import { clearCookie, readCookie, setCookie } from '../sessions/session-cookie.ts';
import { type NewSession, csrfTokenOf } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import { timeText, userBody } from './user-body.ts';

const CREDENTIALS = Type.Object({
  username: Type.String({ minLength: 1, maxLength: 255 }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
});

/** The routes by which browsers sign in and out. */
export function sessionRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addSignIn(app, identity);
    addState(app, identity);
    addSignOut(app, identity);
  };
}

/** Sets the cookie of a session that has begun, and gives what the page needs to know. */
export function sessionBody(
  identity: Identity,
  reply: HttpReply,
  user: User,
  session: NewSession,
): Readonly<Record<string, unknown>> {
  void reply.header('set-cookie', setCookie('session', session.token, identity.cookies));
  void reply.header('cache-control', 'no-store');
  return { user: userBody(user), csrf_token: session.csrfToken, expires_at: timeText(session.expiresAtMs) };
}

/** The browser of a request. */
export function browserOf(request: HttpRequest): { readonly address: string; readonly userAgent: string } {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
}

function addSignIn(app: HttpApplication, identity: Identity): void {
  app.post(
    '/session',
    {
      schema: { body: CREDENTIALS },
      ...permits({ scope: 'public' }, { operation: 'login', resourceType: 'user' }),
    },
    async (request, reply) => {
      const { username, password } = request.body;
      auditSubject(request, username);
      const user = await signIn(identity, request, reply, { username, password });
      await identity.users.touch(user.id);
      const former = readCookie(request.headers.cookie, 'session', identity.cookies);
      if (former !== undefined) await identity.sessions.end(former);
      const session = await identity.sessions.begin({ userId: user.id, ...browserOf(request) });
      return sessionBody(identity, reply, user, session);
    },
  );
}

/** Also for those who are not signed in: the page of the sign-in needs to know what to offer. */
function addState(app: HttpApplication, identity: Identity): void {
  app.get('/session', permits({ scope: 'public' }), async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    const { authMode, selfRegistration, oidc } = await identity.settings.current();
    const principal = principalOf(request);
    const cookie = readCookie(request.headers.cookie, 'session', identity.cookies);
    const bySession = principal.kind === 'user' && request.headers.authorization === undefined;
    return {
      auth_mode: authMode,
      self_registration: authMode === 'db_auth' && selfRegistration,
      ...(authMode === 'oidc_auth' && oidc !== undefined ? { oidc_name: oidc.name } : {}),
      ...(principal.kind === 'user' ? { user: userBody(await identity.users.get(principal.id)) } : {}),
      ...(bySession && cookie !== undefined ? { csrf_token: csrfTokenOf(cookie) } : {}),
    };
  });
}

function addSignOut(app: HttpApplication, identity: Identity): void {
  app.delete(
    '/session',
    permits({ scope: 'authenticated' }, { operation: 'logout', resourceType: 'user' }),
    async (request, reply) => {
      const principal = principalOf(request);
      if (principal.kind !== 'anonymous') auditSubject(request, principal.name);
      const cookie = readCookie(request.headers.cookie, 'session', identity.cookies);
      void reply.header('set-cookie', clearCookie('session', identity.cookies));
      if (cookie === undefined) return {};
      const { sessionIdleMinutes } = await identity.settings.current();
      const session = await identity.sessions.use(cookie, sessionIdleMinutes * 60_000);
      await identity.sessions.end(cookie);
      if (session?.idToken === undefined) return {};
      const url = await identity.oidc.signOutUrl(session.idToken, `${identity.externalUrl}/`);
      return url === undefined ? {} : { logout_url: url.href };
    },
  );
}

/** A person with a password: the secrets of programs begin no session. */
async function signIn(
  identity: Identity,
  request: HttpRequest,
  reply: HttpReply,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<User> {
  try {
    const user = await identity.passwords.verifyPerson(username, password, request.ip);
    if (user.source === 'oidc') throw wrongCredentials();
    return user;
  } catch (error) {
    if (error instanceof SignInBlockedError) void reply.header('retry-after', String(error.retryAfterSeconds));
    throw error;
  }
}
