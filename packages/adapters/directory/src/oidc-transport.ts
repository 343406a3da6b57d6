import { HttpClient, type HttpMethod } from '@vic/http-client';
import { VicError } from '@vic/errors';
import type { CustomFetch } from 'openid-client';

/** How a provider is reached. */
export interface OidcTrust {
  /** False accepts any certificate, and plain HTTP. */
  readonly verifyCertificate: boolean;
  /** PEM certificates of authorities trusted besides the public ones. */
  readonly authorities?: string;
  readonly timeoutMs: number;
}

/** Discovery documents, keys and claims are small. */
const ANSWER_LIMIT_BYTES = 1024 * 1024;
const BODILESS_STATUSES = new Set([101, 204, 205, 304]);

/** The connections to a provider, with the trust that applies to it. */
export function oidcHttpClient(trust: OidcTrust): HttpClient {
  return new HttpClient({
    tls: {
      insecure: !trust.verifyCertificate,
      ...(trust.authorities === undefined ? {} : { ca: trust.authorities }),
    },
    connectTimeoutMs: trust.timeoutMs,
    headersTimeoutMs: trust.timeoutMs,
    idleTimeoutMs: trust.timeoutMs,
    connectionsPerOrigin: 4,
  });
}

/** What the OpenID Connect library sends its requests with. */
export function oidcFetch(http: HttpClient): CustomFetch {
  return async (url, options) => {
    const body = requestBody(options.body);
    const response = await http.request({
      method: options.method as HttpMethod,
      url,
      headers: options.headers,
      maxRedirects: 0,
      ...(body === undefined ? {} : { body }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const bytes = await response.bytes(ANSWER_LIMIT_BYTES);
    const headers = new Headers();
    for (const name of ['content-type', 'www-authenticate', 'date', 'location', 'retry-after', 'cache-control']) {
      const value = response.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    return new Response(BODILESS_STATUSES.has(response.status) ? null : new Uint8Array(bytes), {
      status: response.status,
      headers,
    });
  };
}

function requestBody(body: unknown): string | undefined {
  if (body === null || body === undefined) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new VicError({
    class: 'NotSupported',
    code: 'OIDC_BODY',
    message: 'The request to the OIDC provider has a body of an unexpected kind.',
  });
}
