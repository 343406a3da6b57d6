import { pingOidc } from '@vic/directory';
import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpReply, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits } from '@vic/rest';
import type { Identity } from '../identity.ts';
import { clearCookie, readCookie, setCookie } from '../sessions/session-cookie.ts';
import type { OidcOutcome } from '../sources/oidc-sign-in.ts';
import { browserOf, sessionBody } from './session-routes.ts';

const LOGIN = Type.Object({ redirect_url: Type.Optional(Type.String({ maxLength: 2048 })) });
const ONBOARDING = Type.Object({ username: Type.String({ minLength: 1, maxLength: 255 }) });
const ENDPOINT = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  verify_cert: Type.Optional(Type.Boolean()),
});
const PING_TIMEOUT_MS = 10_000;

/** The routes of signing in at an OIDC provider. */
export function oidcRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addJourney(app, identity);
    addOnboarding(app, identity);
    addPing(app);
  };
}

function addJourney(app: HttpApplication, identity: Identity): void {
  app.get(
    '/oidc/login',
    { schema: { querystring: LOGIN }, ...permits({ scope: 'public' }) },
    async (request, reply) => {
      const { url, cookie } = await identity.oidc.begin(request.query.redirect_url ?? '/');
      void reply.header('set-cookie', setCookie('sign-in', cookie, identity.cookies));
      return reply.redirect(url.href, 302);
    },
  );

  app.get(
    '/oidc/callback',
    permits({ scope: 'public' }, { operation: 'login', resourceType: 'user' }),
    async (request, reply) => {
      const search = new URL(request.originalUrl, 'http://localhost').search;
      const cookie = readCookie(request.headers.cookie, 'sign-in', identity.cookies);
      const outcome = await identity.oidc.complete(search, cookie, browserOf(request));
      auditSubject(request, outcome.kind === 'signedIn' ? outcome.user.name : outcome.suggestion);
      return arrive(identity, reply, outcome);
    },
  );
}

function addOnboarding(app: HttpApplication, identity: Identity): void {
  app.post(
    '/oidc/onboard',
    {
      schema: { body: ONBOARDING },
      ...permits({ scope: 'public' }, { operation: 'login', resourceType: 'user' }),
    },
    async (request, reply) => {
      const { username } = request.body;
      auditSubject(request, username);
      const cookie = readCookie(request.headers.cookie, 'sign-in', identity.cookies);
      const outcome = await identity.oidc.onboard(username, cookie, browserOf(request));
      void reply.header('set-cookie', clearCookie('sign-in', identity.cookies));
      return { ...sessionBody(identity, reply, outcome.user, outcome.session), redirect_url: outcome.returnTo };
    },
  );
}

function addPing(app: HttpApplication): void {
  app.post(
    '/system/oidc/ping',
    {
      schema: { body: ENDPOINT },
      ...permits({ scope: 'system', resource: 'configuration', action: 'update' }),
    },
    async (request, reply) => {
      const { url, verify_cert: verifyCertificate = true } = request.body;
      try {
        await pingOidc(url, { verifyCertificate, timeoutMs: PING_TIMEOUT_MS });
      } catch (cause) {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'OIDC_PING_FAILED',
          message: 'failed to verify connection',
          ...(cause instanceof Error ? { remedy: cause.message } : {}),
          cause,
        });
      }
      return reply.send();
    },
  );
}

/** Back to where the user wanted to go, or to the page that asks for a name. */
function arrive(identity: Identity, reply: HttpReply, outcome: OidcOutcome): HttpReply {
  if (outcome.kind === 'signedIn') {
    void reply.header('set-cookie', [
      clearCookie('sign-in', identity.cookies),
      setCookie('session', outcome.session.token, identity.cookies),
    ]);
    return reply.redirect(outcome.returnTo, 302);
  }
  void reply.header('set-cookie', setCookie('sign-in', outcome.cookie, identity.cookies));
  const parameters = new URLSearchParams({ username: outcome.suggestion, redirect_url: outcome.returnTo });
  return reply.redirect(`/oidc-onboard?${parameters.toString()}`, 302);
}
