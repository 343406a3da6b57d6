import type { HttpClient } from '@vic/http-client';
import {
  Configuration,
  type IDToken,
  ClientSecretBasic,
  ClientSecretPost,
  None,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { oidcError } from './oidc-error.ts';
import { type OidcIdentity, identityFromClaims } from './oidc-identity.ts';
import { type OidcTrust, oidcFetch, oidcHttpClient } from './oidc-transport.ts';

/** A provider, and what we are to it. */
export interface OidcOptions extends OidcTrust {
  /** The issuer's address. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Asked for besides `openid`. */
  readonly scopes: readonly string[];
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  /** The claim that names the user; `name` when absent, as in Harbor. */
  readonly userClaim?: string;
  readonly groupsClaim?: string;
  /** Added to the address the browser is sent to. */
  readonly extraParameters?: Readonly<Record<string, string>>;
}

/** What must be kept, secretly and for this browser, between sending it away and its return. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** A sign-in that succeeded. */
export interface OidcSignIn {
  readonly identity: OidcIdentity;
  /** To end the session at the provider, see {@link OidcClient.endSessionUrl}. */
  readonly idToken: string;
}

/** A client of one OpenID Connect provider: the authorization code flow with PKCE, state and nonce. */
export class OidcClient implements AsyncDisposable {
  readonly #options: OidcOptions;
  readonly #http: HttpClient;
  readonly #configuration: Configuration;

  private constructor(options: OidcOptions, http: HttpClient, configuration: Configuration) {
    this.#options = options;
    this.#http = http;
    this.#configuration = configuration;
  }

  /** Reads the provider's configuration from its well-known address. */
  static async discover(options: OidcOptions): Promise<OidcClient> {
    const http = oidcHttpClient(options);
    try {
      return new OidcClient(options, http, await discover(options, http));
    } catch (error) {
      await http[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where to send the browser, and what to remember until it comes back. */
  async begin(): Promise<{ readonly url: URL; readonly flow: OidcFlow }> {
    const flow = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier() };
    const url = buildAuthorizationUrl(this.#configuration, {
      ...this.#options.extraParameters,
      redirect_uri: this.#options.redirectUri,
      scope: [...new Set(['openid', ...this.#options.scopes])].join(' '),
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await calculatePKCECodeChallenge(flow.codeVerifier),
      code_challenge_method: 'S256',
    });
    return { url, flow };
  }

  /** Redeems the code the browser came back with; `search` is the query string of its request. */
  async complete(search: string, flow: OidcFlow): Promise<OidcSignIn> {
    const url = new URL(this.#options.redirectUri);
    url.search = search;
    try {
      const tokens = await authorizationCodeGrant(this.#configuration, url, {
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        pkceCodeVerifier: flow.codeVerifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims() as IDToken;
      const remote = await this.#userInfo(tokens.access_token, claims.sub);
      return {
        identity: identityFromClaims(claims, remote, this.#options),
        idToken: tokens.id_token ?? '',
      };
    } catch (error) {
      throw oidcError(error, 'sign-in');
    }
  }

  /** Where to send the browser to sign out at the provider; `undefined` when the provider has no such place. */
  endSessionUrl(idToken: string, returnTo: string): URL | undefined {
    if (this.#configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    return buildEndSessionUrl(this.#configuration, { id_token_hint: idToken, post_logout_redirect_uri: returnTo });
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  /** Providers may say more in answer to a question than in the token; not all have the endpoint. */
  async #userInfo(accessToken: string, subject: string): Promise<Readonly<Record<string, unknown>>> {
    if (this.#configuration.serverMetadata().userinfo_endpoint === undefined) return {};
    return fetchUserInfo(this.#configuration, accessToken, subject);
  }
}

/** Fails unless an OpenID Connect provider answers at that address. */
export async function pingOidc(endpoint: string, trust: OidcTrust): Promise<void> {
  await using http = oidcHttpClient(trust);
  await discover({ ...trust, endpoint, clientId: 'ping', clientSecret: '' }, http);
}

async function discover(
  options: OidcTrust & Pick<OidcOptions, 'endpoint' | 'clientId' | 'clientSecret'>,
  http: HttpClient,
): Promise<Configuration> {
  try {
    const configuration = await discovery(new URL(options.endpoint), options.clientId, undefined, None(), {
      [customFetch]: oidcFetch(http),
      execute: options.verifyCertificate ? [] : [allowInsecureRequests],
      timeout: Math.max(1, Math.ceil(options.timeoutMs / 1000)),
    });
    return authenticated(configuration, options, http);
  } catch (error) {
    throw oidcError(error, 'discovery');
  }
}

/** The configuration with the way of proving who we are that the provider supports. */
function authenticated(
  found: Configuration,
  options: OidcTrust & Pick<OidcOptions, 'clientId' | 'clientSecret'>,
  http: HttpClient,
): Configuration {
  const metadata = found.serverMetadata();
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication =
    options.clientSecret === ''
      ? None()
      : methods.includes('client_secret_basic')
        ? ClientSecretBasic(options.clientSecret)
        : ClientSecretPost(options.clientSecret);
  const configuration = new Configuration(metadata, options.clientId, undefined, authentication);
  configuration[customFetch] = oidcFetch(http);
  configuration.timeout = Math.max(1, Math.ceil(options.timeoutMs / 1000));
  if (!options.verifyCertificate) allowInsecureRequests(configuration);
  // The signature is checked although the token came over TLS, which may be unverified.
  enableNonRepudiationChecks(configuration);
  return configuration;
}
