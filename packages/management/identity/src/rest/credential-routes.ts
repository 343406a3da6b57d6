import { VicError, isVicError } from '@vic/errors';
import { type HttpApplication, type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits, principalOf } from '@vic/rest';
import { randomSecret } from '../credentials/random-secret.ts';
import { requireAcceptableSecret } from '../credentials/secret-rules.ts';
import type { Identity } from '../identity.ts';
import { readCookie } from '../sessions/session-cookie.ts';
import type { User } from '../users/user.ts';
import { ID, isSelf, requireAdministratorInPerson, requireSelfOr, requireUnrestricted } from './request-rules.ts';

const USER = Type.Object({ user_id: ID });
const SECRET = Type.Optional(Type.String({ maxLength: 1024 }));
const PASSWORDS = Type.Object({ old_password: SECRET, new_password: SECRET });
const CLI_SECRET = Type.Object({ secret: SECRET });
const ADMINISTRATOR = Type.Object({ sysadmin_flag: Type.Optional(Type.Boolean()) });
const CHANGE = permits(
  { scope: 'object', resource: 'user', action: 'update' },
  { operation: 'update', resourceType: 'user' },
);

/** The routes that change what a user signs in with, and whether the user is an administrator. */
export function credentialRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addPassword(app, identity);
    addCliSecret(app, identity);
    addAdministrator(app, identity);
  };
}

function addPassword(app: HttpApplication, identity: Identity): void {
  app.put(
    '/users/:user_id/password',
    { schema: { params: USER, body: PASSWORDS }, ...CHANGE },
    async (request, reply) => {
      const id = Number(request.params.user_id);
      const { old_password: old = '', new_password: wanted = '' } = request.body;
      await requireSelfOr(request, id, 'update');
      requireUnrestricted(request);
      const user = await identity.users.get(id);
      auditSubject(request, user.name);
      if (isSelf(request, id)) await requireOldPassword(identity, request, user, old);
      else if (user.systemAdministrator) requireAdministratorInPerson(principalOf(request));
      const session = readCookie(request.headers.cookie, 'session', identity.cookies);
      await identity.localUsers.changePassword(id, wanted, isSelf(request, id) ? session : undefined);
      return reply.send();
    },
  );
}

function addCliSecret(app: HttpApplication, identity: Identity): void {
  app.put(
    '/users/:user_id/cli_secret',
    { schema: { params: USER, body: CLI_SECRET }, ...CHANGE },
    async (request, reply) => {
      const id = Number(request.params.user_id);
      const { authMode } = await identity.settings.current();
      if (authMode !== 'oidc_auth') throw noCliSecret(`unable to update CLI secret under authmode: ${authMode}`);
      await requireSelfOr(request, id, 'update');
      requireUnrestricted(request);
      const user = await identity.users.get(id);
      auditSubject(request, user.name);
      if (user.source !== 'oidc') throw noCliSecret(`user ${user.name} is not onboarded via OIDC`);
      if (user.administratorBySource && !isSelf(request, id)) requireAdministratorInPerson(principalOf(request));
      const chosen = request.body.secret ?? '';
      if (chosen !== '') requireAcceptableSecret(chosen);
      const secret = chosen === '' ? randomSecret() : chosen;
      const hash = chosen === '' ? identity.hasher.hashRandom(secret) : await identity.hasher.hashChosen(secret);
      await identity.users.setCliSecretHash(id, hash);
      // Only what we drew is told, and only now: it is kept as a hash.
      return chosen === '' ? { secret } : reply.send();
    },
  );
}

function addAdministrator(app: HttpApplication, identity: Identity): void {
  app.put(
    '/users/:user_id/sysadmin',
    {
      schema: { params: USER, body: ADMINISTRATOR },
      ...permits(
        { scope: 'system', resource: 'user', action: 'update' },
        { operation: 'update', resourceType: 'user' },
      ),
    },
    async (request, reply) => {
      requireAdministratorInPerson(principalOf(request));
      const user = await identity.users.get(Number(request.params.user_id));
      auditSubject(request, user.name);
      await identity.users.setAdministrator(user.id, request.body.sysadmin_flag ?? false);
      return reply.send();
    },
  );
}

/** A session somebody left open must not be enough to take the account over. */
async function requireOldPassword(identity: Identity, request: HttpRequest, user: User, old: string): Promise<void> {
  try {
    await identity.passwords.verifyPerson(user.name, old, request.ip);
  } catch (error) {
    if (!isVicError(error, { class: 'Unauthenticated' })) throw error;
    throw new VicError({
      class: 'PermissionDenied',
      code: 'PASSWORD_WRONG',
      message: 'Current password is incorrect',
      cause: error,
    });
  }
}

function noCliSecret(message: string): VicError {
  return new VicError({ class: 'FailedPrecondition', code: 'CLI_SECRET_REFUSED', message });
}
