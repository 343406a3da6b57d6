import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the provider says of the person who signs in. */
export type ProviderClaims = Readonly<Record<string, unknown>> & { readonly sub: string };

interface IssuedCode {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string | undefined;
}

const KEY_ID = 'test-key';
const TOKEN_LIFETIME_S = 300;

/** An OpenID Connect provider on loopback: real HTTP, real signatures, and a person who always agrees. */
export class OidcProvider implements AsyncDisposable {
  /** In the ID token. */
  claims: ProviderClaims = { sub: 'subject-1', name: 'Ada Lovelace', email: 'ada@example.com' };
  /** From the user information endpoint, besides `sub`. */
  userInfo: Readonly<Record<string, unknown>> = {};
  /** Put over the claims of the next tokens, to make them wrong. */
  tampering: Readonly<Record<string, unknown>> = {};
  /** Is waited for before a request to that path is answered. */
  before: (path: string) => Promise<void> = async () => undefined;
  /** Signs with a key that is not published. */
  forged = false;
  readonly clientId = 'vic';
  readonly clientSecret = 'provider-secret';
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #otherKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #codes = new Map<string, IssuedCode>();
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  private constructor() {}

  /** Starts on a port of its own. */
  static async start(): Promise<OidcProvider> {
    const provider = new OidcProvider();
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  /** The issuer's address. */
  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Follows the address the browser was sent to, as a person who agrees, and gives where it is sent back. */
  async agree(url: URL): Promise<URL> {
    const response = await fetch(url, { redirect: 'manual' });
    return new URL(response.headers.get('location') ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer);
    await this.before(url.pathname);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json(response, 200, this.#metadata());
      case '/jwks':
        return json(response, 200, {
          keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: KEY_ID, use: 'sig', alg: 'RS256' }],
        });
      case '/authorize':
        return this.#authorize(url.searchParams, response);
      case '/token':
        return this.#token(request, response);
      case '/userinfo':
        return json(response, 200, { sub: this.claims.sub, ...this.userInfo });
      default:
        return json(response, 404, {});
    }
  }

  #metadata(): Readonly<Record<string, unknown>> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      jwks_uri: `${this.issuer}/jwks`,
      end_session_endpoint: `${this.issuer}/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  #authorize(query: URLSearchParams, response: ServerResponse): void {
    const redirectUri = query.get('redirect_uri') ?? '';
    const code = randomBytes(16).toString('hex');
    this.#codes.set(code, {
      challenge: query.get('code_challenge') ?? '',
      redirectUri,
      nonce: query.get('nonce') ?? undefined,
    });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    response.writeHead(302, { location: back.href }).end();
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const form = new URLSearchParams(text);
    const given = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    const [id, secret] = given.split(':').map(decodeURIComponent);
    if (id !== this.clientId || secret !== this.clientSecret) return json(response, 401, { error: 'invalid_client' });
    const code = form.get('code') ?? '';
    const issued = this.#codes.get(code);
    this.#codes.delete(code);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (issued === undefined || issued.challenge !== verifier || issued.redirectUri !== form.get('redirect_uri')) {
      return json(response, 400, { error: 'invalid_grant', error_description: 'the code is not good' });
    }
    return json(response, 200, {
      access_token: randomBytes(16).toString('hex'),
      token_type: 'Bearer',
      expires_in: TOKEN_LIFETIME_S,
      id_token: this.#idToken(issued.nonce),
    });
  }

  #idToken(nonce: string | undefined): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: this.clientId,
      iat: now,
      exp: now + TOKEN_LIFETIME_S,
      nonce,
      ...this.claims,
      ...this.tampering,
    };
    const head = base64Json({ alg: 'RS256', kid: KEY_ID });
    const body = base64Json(claims);
    const { privateKey } = this.forged ? this.#otherKeys : this.#keys;
    return `${head}.${body}.${createSign('RSA-SHA256').update(`${head}.${body}`).sign(privateKey, 'base64url')}`;
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function base64Json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
