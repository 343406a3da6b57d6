import { VicError } from '@vic/errors';
import type { HttpClient, HttpRequest, HttpResponse } from '@vic/http-client';
import { parseChallenge } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization, hasCredentials } from './credentials.ts';
import type { RegistryCredentials } from './credentials.ts';
import { badCredentials } from './registry-error.ts';

interface CachedToken {
  readonly authorization: string;
  readonly expiresAtMs: number;
}

/** What the token service gave. */
interface TokenAnswer {
  readonly token: string;
  readonly refreshToken: string | undefined;
  readonly lifetimeMs: number;
}

/** The token specification's default when a service does not say. */
const DEFAULT_LIFETIME_SECONDS = 60;
/** Tokens are renewed this long before they end. */
const RENEW_EARLY_MS = 10_000;
const MAX_TOKEN_ANSWER_BYTES = 1024 * 1024;
const MAX_TOKENS = 1000;
const CLIENT_ID = 'docker';

/** Requests to one registry as one user: answers its challenges and remembers the tokens per scope. */
export class Authorizer {
  readonly #http: HttpClient;
  readonly #credentials: RegistryCredentials | undefined;
  readonly #tokens = new Map<string, CachedToken>();

  constructor(http: HttpClient, credentials: RegistryCredentials | undefined) {
    this.#http = http;
    this.#credentials = credentials;
  }

  /**
   * Sends a request that needs `scope`; a 401 that remains after authorizing is given back as it is.
   *
   * So is the 401 to a body that can be sent only once, after which the next request is authorized.
   */
  async send(request: HttpRequest, scope: string): Promise<HttpResponse> {
    const given = this.#credentials?.registryToken;
    if (given) return this.#http.request(withAuthorization(request, `Bearer ${given}`));
    const cached = this.#cached(scope);
    const response = await this.#http.request(withAuthorization(request, cached));
    if (response.status !== 401) return response;
    const challenge = challengeOf(response);
    if (challenge === undefined) return response;
    this.#tokens.delete(scope);
    const authorization = await this.#answer(challenge, scope, new URL(request.url), request.signal);
    if (authorization === undefined && cached !== undefined && !isOneTime(request.body)) {
      // Registries answer a token that has ended with a Basic challenge; without it they say where to get another.
      response.discard();
      return this.send(request, scope);
    }
    if (authorization === undefined || authorization === cached) return response;
    // A body that was a stream is used up; the caller opens it again, with the token that is there now.
    if (isOneTime(request.body)) return response;
    response.discard();
    return this.#http.request(withAuthorization(request, authorization));
  }

  /** Logs in at `url` (`/v2/`); gives the identity token when the service issues one. */
  async login(url: URL, signal: AbortSignal): Promise<{ readonly identityToken: string | undefined }> {
    const response = await this.#http.request({ url, signal });
    const challenge = response.status === 401 ? challengeOf(response) : undefined;
    response.discard();
    if (response.ok) return { identityToken: undefined };
    if (challenge === undefined) throw unexpected(response.status);
    const identityToken = challenge.scheme === 'bearer' ? await this.#loginByToken(challenge, url, signal) : undefined;
    const checked = await this.send({ url, signal }, '');
    checked.discard();
    if (checked.status === 401 || checked.status === 403) throw badCredentials();
    if (!checked.ok) throw unexpected(checked.status);
    return { identityToken };
  }

  async #loginByToken(
    challenge: Extract<Challenge, { scheme: 'bearer' }>,
    url: URL,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const answer = await this.#fetchToken(challenge, '', url, true, signal);
    this.#remember('', answer);
    return answer.refreshToken;
  }

  #cached(scope: string): string | undefined {
    const cached = this.#tokens.get(scope);
    return cached !== undefined && cached.expiresAtMs > Date.now() ? cached.authorization : undefined;
  }

  async #answer(challenge: Challenge, scope: string, url: URL, signal?: AbortSignal): Promise<string | undefined> {
    if (challenge.scheme === 'basic') {
      const authorization = basicAuthorization(this.#credentials);
      if (authorization !== undefined) this.#keep(scope, { authorization, expiresAtMs: Number.POSITIVE_INFINITY });
      return authorization;
    }
    return this.#remember(scope, await this.#fetchToken(challenge, scope, url, false, signal));
  }

  #remember(scope: string, answer: TokenAnswer): string {
    const authorization = `Bearer ${answer.token}`;
    this.#keep(scope, { authorization, expiresAtMs: Date.now() + answer.lifetimeMs - RENEW_EARLY_MS });
    return authorization;
  }

  #keep(scope: string, token: CachedToken): void {
    // The longest known goes; a client that lives long meets any number of repositories.
    const [first] = this.#tokens.keys();
    if (this.#tokens.size >= MAX_TOKENS && first !== undefined) this.#tokens.delete(first);
    this.#tokens.set(scope, token);
  }

  async #fetchToken(
    challenge: Extract<Challenge, { scheme: 'bearer' }>,
    scope: string,
    registry: URL,
    offline: boolean,
    signal: AbortSignal | undefined,
  ): Promise<TokenAnswer> {
    const realm = new URL(challenge.realm);
    if (registry.protocol === 'https:' && realm.protocol === 'http:' && hasCredentials(this.#credentials)) {
      throw new VicError({
        class: 'PermissionDenied',
        code: 'REGISTRY_REALM_INSECURE',
        message: `${registry.host} asks to send the credentials in clear to ${realm.host}.`,
      });
    }
    const response = await this.#http.request({
      ...this.#tokenRequest(realm, challenge.service, scope, offline),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.status === 401 || response.status === 403 || response.status === 400) {
      response.discard();
      throw hasCredentials(this.#credentials) ? badCredentials() : tokenRefused(realm, response.status);
    }
    if (!response.ok) {
      response.discard();
      throw tokenRefused(realm, response.status);
    }
    return parseTokenAnswer(await response.json(MAX_TOKEN_ANSWER_BYTES), realm);
  }

  /** A refresh token is exchanged by POST (OAuth2); a name and password, or nobody, use GET. */
  #tokenRequest(realm: URL, service: string, scope: string, offline: boolean): HttpRequest {
    const credentials = this.#credentials;
    const parameters = new URLSearchParams();
    if (service !== '') parameters.set('service', service);
    if (scope !== '') for (const one of scope.split(' ')) parameters.append('scope', one);
    if (credentials?.identityToken) {
      if (scope !== '') parameters.set('scope', scope);
      parameters.set('grant_type', 'refresh_token');
      parameters.set('refresh_token', credentials.identityToken);
      parameters.set('client_id', CLIENT_ID);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return { method: 'POST', url: realm, headers, body: parameters.toString() };
    }
    const authorization = basicAuthorization(credentials);
    if (credentials?.username) parameters.set('account', credentials.username);
    if (offline) {
      parameters.set('offline_token', 'true');
      parameters.set('client_id', CLIENT_ID);
    }
    const url = new URL(realm);
    for (const [name, value] of parameters) url.searchParams.append(name, value);
    return { url, headers: authorization === undefined ? {} : { authorization } };
  }
}

function isOneTime(body: HttpRequest['body']): boolean {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
}

function challengeOf(response: HttpResponse): Challenge | undefined {
  return response
    .headerLines('www-authenticate')
    .map(parseChallenge)
    .find((challenge) => challenge !== undefined);
}

function withAuthorization(request: HttpRequest, authorization: string | undefined): HttpRequest {
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } };
}

function parseTokenAnswer(document: unknown, realm: URL): TokenAnswer {
  const fields = (typeof document === 'object' && document !== null ? document : {}) as Record<string, unknown>;
  const token = fields['token'] ?? fields['access_token'];
  // A control character would let a token service write headers of its own.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw tokenRefused(realm, 200);
  const seconds = Number(fields['expires_in'] ?? DEFAULT_LIFETIME_SECONDS);
  const refreshToken = fields['refresh_token'];
  return {
    token,
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined,
    lifetimeMs: Math.max(Number.isFinite(seconds) ? seconds : 0, DEFAULT_LIFETIME_SECONDS) * 1000,
  };
}

function tokenRefused(realm: URL, status: number): VicError {
  const errorClass = status === 401 || status === 403 ? 'Unauthenticated' : 'Unavailable';
  const message =
    status === 200
      ? `The token service ${realm.host} answered without a token.`
      : `unauthorized: the token service ${realm.host} answered ${status}`;
  return new VicError({ class: errorClass, code: 'REGISTRY_TOKEN', message });
}

function unexpected(status: number): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_FAILED',
    message: `login attempt failed with status: ${status}`,
  });
}
