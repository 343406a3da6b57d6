import { ANONYMOUS, type Principal, nameOf } from '@vic/authz';
import { VicError, isVicError } from '@vic/errors';
import { type HttpApplication, type HttpRequest, noteRequest } from '@vic/http';
import { type Credentials, basicUserName } from '@vic/rest';
import type { IssuedToken } from './access-tokens.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { TokenIdentity } from './token-identity.ts';
import type { TokenKeys } from './token-keys.ts';
import type { TokenService } from './token-service.ts';

/** What {@link tokenRoutes} needs. */
export interface TokenRoutesDeps {
  readonly service: TokenService;
  readonly keys: Pick<TokenKeys, 'publicKeys'>;
  readonly refreshTokens: RefreshTokens;
  readonly identity: Pick<TokenIdentity, 'authenticate'>;
  /** Whether a secret is an access token of its own: a client may keep that, and gets no other for it. */
  isPersonalToken(secret: string): boolean;
  /** For the audit log: a client that signs in (asks for no scope), and whoever fails to. */
  recordSignIn(signIn: SignIn): Promise<void>;
}

/** Somebody showed credentials. */
export interface SignIn {
  /** `ANONYMOUS` when the credentials were wrong. */
  readonly principal: Principal;
  /** The name that was given. */
  readonly name: string;
  readonly address: string;
  readonly method: string;
  readonly succeeded: boolean;
}

const PATH = '/service/token';
/** The JWK set that tokens are verified with. */
const KEYS_PATH = '/service/token/keys';
const FORM = 'application/x-www-form-urlencoded';
const MAX_FORM_BYTES = 64 * 1024;

/** `GET /service/token` of the token protocol, and `POST` of its OAuth 2 variant. */
export function tokenRoutes(deps: TokenRoutesDeps): (app: HttpApplication) => void {
  return (app) => {
    app.get(PATH, async (request, reply) => {
      const parameters = new URLSearchParams(request.originalUrl.split('?')[1] ?? '');
      deps.service.checkService(parameters.get('service') ?? '');
      const isLogin = parameters.get('scope') === null;
      const principal = await signIn(deps, credentialsOf(request, request.headers.authorization), isLogin);
      noteRequest(request, { user: nameOf(principal) });
      const issued = await issue(deps, principal, parameters);
      const isOffline = parameters.get('offline_token') === 'true' && !showsPersonalToken(deps, request as HttpRequest);
      return reply.header('cache-control', 'no-store').send({
        ...tokenBody(issued),
        ...(isOffline ? await refreshBody(deps, principal, parameters) : {}),
      });
    });

    app.get(KEYS_PATH, async () => ({ keys: await deps.keys.publicKeys() }));

    void app.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: MAX_FORM_BYTES }, (_request, body, done) => {
        done(null, new URLSearchParams(String(body)));
      });
      scope.post(PATH, async (request, reply) => {
        const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
        deps.service.checkService(form.get('service') ?? '');
        const { principal, refreshToken } = await redeemGrant(deps, request as HttpRequest, form);
        noteRequest(request, { user: nameOf(principal), isRoutine: true });
        const issued = await issue(deps, principal, form);
        return reply.header('cache-control', 'no-store').send({
          ...tokenBody(issued),
          scope: form.getAll('scope').join(' '),
          ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
        });
      });
    });
  };
}

async function signIn(deps: TokenRoutesDeps, credentials: Credentials, isLogin: boolean): Promise<Principal> {
  const { address, method } = credentials;
  const attempt = { name: basicUserName(credentials.authorization), address, method };
  try {
    const principal = await deps.identity.authenticate(credentials);
    if (isLogin && principal.kind !== 'anonymous') await deps.recordSignIn({ ...attempt, principal, succeeded: true });
    return principal;
  } catch (error) {
    if (isVicError(error, { class: 'Unauthenticated' })) {
      await deps.recordSignIn({ ...attempt, principal: ANONYMOUS, succeeded: false });
    }
    throw error;
  }
}

async function issue(deps: TokenRoutesDeps, principal: Principal, parameters: URLSearchParams): Promise<IssuedToken> {
  return deps.service.issue(principal, {
    service: parameters.get('service') ?? '',
    scopes: parameters.getAll('scope'),
  });
}

/** Who asks, by the grant the form holds; a password may be exchanged for an identity token. */
async function redeemGrant(
  deps: TokenRoutesDeps,
  request: HttpRequest,
  form: URLSearchParams,
): Promise<{ readonly principal: Principal; readonly refreshToken: string | undefined }> {
  switch (form.get('grant_type')) {
    case 'refresh_token': {
      const refreshToken = required(form, 'refresh_token');
      return { principal: await deps.refreshTokens.redeem(refreshToken), refreshToken };
    }
    case 'password': {
      const password = required(form, 'password');
      const pair = `${required(form, 'username')}:${password}`;
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      const isLogin = form.get('scope') === null;
      const principal = await signIn(deps, credentialsOf(request, authorization), isLogin);
      const isOffline = form.get('access_type') === 'offline' && !deps.isPersonalToken(password);
      const refreshToken = isOffline
        ? await deps.refreshTokens.issue(principal, form.get('client_id') ?? '')
        : undefined;
      return { principal, refreshToken };
    }
    default:
      throw invalid('grant_type must be password or refresh_token');
  }
}

function showsPersonalToken(deps: TokenRoutesDeps, { headers }: HttpRequest): boolean {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(headers.authorization ?? '') ?? [];
  if (scheme.toLowerCase() !== 'basic') return deps.isPersonalToken(value);
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return deps.isPersonalToken(decoded.slice(decoded.indexOf(':') + 1));
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name) ?? '';
  if (value === '') throw invalid(`${name} is missing`);
  return value;
}

function credentialsOf(request: HttpRequest, authorization: string | undefined): Credentials {
  return {
    method: request.method,
    authorization,
    cookie: undefined,
    csrfToken: undefined,
    address: request.ip,
  };
}

async function refreshBody(
  deps: TokenRoutesDeps,
  principal: Principal,
  parameters: URLSearchParams,
): Promise<{ readonly refresh_token?: string }> {
  const token = await deps.refreshTokens.issue(principal, parameters.get('client_id') ?? '');
  return token === undefined ? {} : { refresh_token: token };
}

/** Old clients read `token`, OAuth 2 ones `access_token`. */
function tokenBody({ token, expiresInS, issuedAtMs }: IssuedToken): object {
  const issuedAt = new Date(issuedAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return { token, access_token: token, expires_in: expiresInS, issued_at: issuedAt };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'TOKEN_REQUEST_INVALID', message });
}
