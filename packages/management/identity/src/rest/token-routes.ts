import { validateGrants } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits } from '@vic/rest';
import { liveGrants, storeGrants } from '../grants/stored-grants.ts';
import { WirePermissionsSchema, grantsFromWire, grantsToWire } from '../grants/wire-grants.ts';
import type { Identity } from '../identity.ts';
import type { AccessToken } from '../tokens/access-token-store.ts';
import { ID, isSelf, pathOf, requireSelfOr, requireUnrestricted } from './request-rules.ts';
import { timeText } from './user-body.ts';

const USER = Type.Object({ user_id: ID });
const TOKEN = Type.Object({ user_id: ID, token_id: ID });
/** A token is a password that people forget about. */
const MAX_DAYS = 365;
const DEFAULT_DAYS = 90;
const DAY_MS = 24 * 60 * 60_000;
const NEW_TOKEN = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100, pattern: String.raw`^[^\p{Cc}]+$` }),
  duration: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DAYS })),
  permissions: Type.Optional(WirePermissionsSchema),
});

/** The routes of personal access tokens. */
export function tokenRoutes(identity: Identity): RestRoutes {
  return (app) => {
    app.get(
      '/users/:user_id/tokens',
      { schema: { params: USER }, ...permits({ scope: 'object', resource: 'user', action: 'read' }) },
      async (request) => {
        const id = Number(request.params.user_id);
        await requireSelfOr(request, id, 'read');
        await identity.users.get(id);
        const tokens = await identity.tokens.list(id);
        return Promise.all(tokens.map(async (token) => tokenBody(identity, token)));
      },
    );

    app.post(
      '/users/:user_id/tokens',
      {
        schema: { params: USER, body: NEW_TOKEN },
        ...permits({ scope: 'authenticated' }, { operation: 'create', resourceType: 'access_token' }),
      },
      async (request, reply) => {
        const userId = Number(request.params.user_id);
        requireOwn(request, userId);
        auditSubject(request, request.body.name);
        const { name, duration = DEFAULT_DAYS, permissions } = request.body;
        const grants = permissions === undefined ? undefined : grantsFromWire(permissions);
        if (grants !== undefined) validateGrants(grants);
        const stored = grants === undefined ? undefined : await storeGrants(grants, identity.projects);
        const expiresAtMs = identity.clock() + duration * DAY_MS;
        const { token, entry } = await identity.tokens.create({ userId, name, grants: stored, expiresAtMs });
        void reply.code(201).header('location', `${pathOf(request)}/${entry.id}`);
        return { ...(await tokenBody(identity, entry)), token };
      },
    );

    app.delete(
      '/users/:user_id/tokens/:token_id',
      {
        schema: { params: TOKEN },
        ...permits(
          { scope: 'object', resource: 'user', action: 'update' },
          { operation: 'delete', resourceType: 'access_token' },
        ),
      },
      async (request, reply) => {
        const userId = Number(request.params.user_id);
        auditSubject(request, request.params.token_id);
        await requireSelfOr(request, userId, 'update');
        requireUnrestricted(request);
        await identity.tokens.remove(userId, Number(request.params.token_id));
        return reply.send();
      },
    );
  };
}

/** Nobody makes tokens for others, administrators included: the token is the user. */
function requireOwn(request: HttpRequest, userId: number): void {
  requireUnrestricted(request);
  if (isSelf(request, userId)) return;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'ACCESS_TOKEN_NOT_OWN',
    message: 'Access tokens are made by their own users only.',
    remedy: 'For programs, make a robot account.',
  });
}

async function tokenBody(identity: Identity, token: AccessToken): Promise<Readonly<Record<string, unknown>>> {
  const grants = token.grants === undefined ? undefined : await liveGrants(token.grants, identity.projects);
  return {
    id: token.id,
    name: token.name,
    hint: token.hint,
    permissions: grants === undefined ? null : grantsToWire(grants),
    creation_time: timeText(token.createdAtMs),
    expires_at: Math.floor(token.expiresAtMs / 1000),
    last_used_time: token.lastUsedAtMs === undefined ? null : timeText(token.lastUsedAtMs),
  };
}
