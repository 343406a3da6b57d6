import { Readable } from 'node:stream';
import { delay } from '@vic/async';
import { VicError } from '@vic/errors';
import { Agent, ProxyAgent, request as send } from 'undici';
import type { Dispatcher } from 'undici';
import { connectionError } from './connection-error.ts';
import { createConnector } from './connector.ts';
import type { TlsTrust } from './connector.ts';
import { HttpResponse } from './http-response.ts';
import { proxyFor } from './proxy.ts';
import type { ProxySettings } from './proxy.ts';

/** The methods our clients use. */
export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How a client connects and how long it waits. */
export interface HttpClientOptions {
  readonly tls?: TlsTrust;
  readonly proxy?: ProxySettings;
  readonly userAgent?: string;
  readonly connectTimeoutMs?: number;
  /** From the request's last byte to the answer's head. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of the body. */
  readonly idleTimeoutMs?: number;
  readonly connectionsPerOrigin?: number;
  /**
   * Throws for an IP address that must not be connected to, for clients whose URLs are chosen by users. Without a
   * proxy only: a proxy connects on its own.
   */
  readonly checkAddress?: (address: string) => void;
  /** Asked after each failed try; see {@link RetryDecision}. */
  readonly retry?: RetryDecision;
}

/**
 * Says, after a failed try, how long to wait before the next one, or `undefined` to give up.
 *
 * Asked only for requests whose body can be sent again.
 */
export type RetryDecision = (failure: {
  readonly request: HttpRequest;
  readonly attempt: number;
  readonly error?: unknown;
  readonly status?: number;
}) => number | undefined;

/** One request. */
export interface HttpRequest {
  readonly method?: HttpMethod;
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent chunked, once: it is neither retried nor redirected. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly headersTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** How many redirects are followed; 5 by default, 0 to get the redirect itself. */
  readonly maxRedirects?: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Headers that prove who we are: never sent to another origin than the one they were given for. */
const CREDENTIAL_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** A pool of connections with one trust, one proxy setting and deadlines. */
export class HttpClient implements AsyncDisposable {
  readonly #options: HttpClientOptions;
  readonly #agent: Agent;
  readonly #proxies = new Map<string, ProxyAgent>();

  constructor(options: HttpClientOptions = {}) {
    this.#options = options;
    this.#agent = new Agent({
      connect: createConnector({
        tls: options.tls ?? {},
        proxy: options.proxy,
        connectTimeoutMs: options.connectTimeoutMs ?? 15_000,
        checkAddress: options.checkAddress,
      }),
      connections: options.connectionsPerOrigin ?? 16,
      // HTTP/1.1 only: the peers are registries and vSphere hosts, and streams are large.
      allowH2: false,
    });
  }

  /** Sends a request, follows its redirects, and gives the answer, whatever its status. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      let failure: { readonly error: unknown } | undefined;
      let response: HttpResponse | undefined;
      try {
        response = await this.#follow(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        failure = { error };
      }
      if (response !== undefined && response.status < 500 && response.status !== 429) return response;
      const pauseMs = isRepeatable(request)
        ? this.#options.retry?.({ request, attempt, ...failure, ...(response && { status: response.status }) })
        : undefined;
      if (pauseMs === undefined) {
        if (failure !== undefined) throw failure.error;
        if (response !== undefined) return response;
      }
      response?.discard();
      await delay(pauseMs ?? 0, request.signal);
    }
  }

  /** Closes all connections, those in use included. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#agent.destroy(), ...[...this.#proxies.values()].map((proxy) => proxy.destroy())]);
  }

  async #follow(request: HttpRequest): Promise<HttpResponse> {
    let url = parseUrl(request.url);
    let method = request.method ?? 'GET';
    let body = request.body;
    let headers: Readonly<Record<string, string>> = request.headers ?? {};
    for (let left = request.maxRedirects ?? 5; ; left--) {
      const response = await this.#send(request, url, method, headers, body);
      const location = response.header('location');
      if (!REDIRECTS.has(response.status) || location === undefined || request.maxRedirects === 0) return response;
      response.discard();
      if (left <= 0) throw redirectError(url, 'redirects too many times');
      const next = URL.parse(location, url);
      if (next === null || !/^https?:$/.test(next.protocol))
        throw redirectError(url, 'redirects to an unusable address');
      if (url.protocol === 'https:' && next.protocol === 'http:')
        throw redirectError(url, 'redirects from https to http');
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      if (response.status === 303 || (response.status < 303 && method === 'POST')) {
        method = method === 'HEAD' ? 'HEAD' : 'GET';
        body = undefined;
      } else if (!isRepeatable({ url, ...(body === undefined ? {} : { body }) })) {
        throw redirectError(url, 'redirects a request whose body was already sent');
      }
      url = next;
    }
  }

  async #send(
    request: HttpRequest,
    url: URL,
    method: HttpMethod,
    headers: Readonly<Record<string, string>>,
    body: HttpRequest['body'],
  ): Promise<HttpResponse> {
    const userAgent = this.#options.userAgent;
    try {
      const answer = await send(url, {
        method,
        dispatcher: this.#dispatcherFor(url),
        headers: userAgent === undefined ? headers : { 'user-agent': userAgent, ...headers },
        body:
          body === undefined || typeof body === 'string' || body instanceof Uint8Array
            ? (body ?? null)
            : Readable.from(body),
        headersTimeout: request.headersTimeoutMs ?? this.#options.headersTimeoutMs ?? 60_000,
        bodyTimeout: request.idleTimeoutMs ?? this.#options.idleTimeoutMs ?? 60_000,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      return new HttpResponse(answer.statusCode, url, answer.headers, answer.body);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw connectionError(error, url.host);
    }
  }

  /** Plain HTTP through a proxy is sent in absolute form; `https:` tunnels inside the agent's connector. */
  #dispatcherFor(url: URL): Dispatcher {
    const proxy = url.protocol === 'http:' ? proxyFor(url, this.#options.proxy) : undefined;
    if (proxy === undefined) return this.#agent;
    return this.#proxies.getOrInsertComputed(proxy.href, () => {
      return new ProxyAgent({ uri: proxy.href, proxyTunnel: false });
    });
  }
}

function parseUrl(text: string | URL): URL {
  const url = typeof text === 'string' ? URL.parse(text) : text;
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'HTTP_URL_INVALID',
    message: `"${String(text).slice(0, 200)}" is not an http or https URL.`,
  });
}

function isRepeatable(request: Pick<HttpRequest, 'url' | 'body'>): boolean {
  return request.body === undefined || typeof request.body === 'string' || request.body instanceof Uint8Array;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIAL_HEADERS.has(name.toLowerCase())));
}

function redirectError(url: URL, what: string): VicError {
  return new VicError({ class: 'Unavailable', code: 'HTTP_REDIRECT_REFUSED', message: `${url.host} ${what}.` });
}
