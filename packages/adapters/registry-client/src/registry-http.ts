import { delay } from '@vic/async';
import type { HttpClient, HttpMethod, HttpRequest, HttpResponse } from '@vic/http-client';
import { Authorizer } from './authorizer.ts';
import type { RegistryCredentials } from './credentials.ts';
import { parseRetryAfter } from './registry-busy-error.ts';
import { apiUrl } from './registry-host.ts';

/** Where a registry is and how patiently it is asked. */
export interface RegistryAddress {
  /** Host, with its port. */
  readonly domain: string;
  readonly scheme: 'http' | 'https';
  /** The longest that is waited for a registry that limits requests before the error is thrown; 30 s when absent. */
  readonly maxBusyWaitMs?: number;
  /** Headers sent with every request to the registry itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request below `/v2/`. */
export interface RegistryRequest {
  readonly method?: HttpMethod;
  /** Below `/v2/`, or a complete address the registry gave. */
  readonly path: string | URL;
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest['body'];
  readonly signal: AbortSignal;
}

const DEFAULT_BUSY_WAIT_MS = 30_000;
/** What is waited for when a registry is busy but does not say how long. */
const UNSPECIFIED_WAIT_MS = 1_000;
const MAX_BUSY_TRIES = 5;

/** Requests to one registry as one user; waits when the registry says that it is asked too much. */
export class RegistryHttp {
  readonly address: RegistryAddress;
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;

  constructor(http: HttpClient, address: RegistryAddress, credentials: RegistryCredentials | undefined) {
    this.address = address;
    this.#http = http;
    this.#authorizer = new Authorizer(http, credentials);
  }

  /** Sends a request; a 429 that lasts longer than the address allows to wait is given back. */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const isOneTime = typeof request.body === 'object' && !(request.body instanceof Uint8Array);
    let leftMs = this.address.maxBusyWaitMs ?? DEFAULT_BUSY_WAIT_MS;
    for (let attempt = 1; ; attempt++) {
      const response = await this.#sendOnce(request);
      const pauseMs = parseRetryAfter(response.header('retry-after')) ?? UNSPECIFIED_WAIT_MS * attempt;
      if (response.status !== 429 || isOneTime || pauseMs > leftMs || attempt >= MAX_BUSY_TRIES) return response;
      response.discard();
      leftMs -= pauseMs;
      await delay(pauseMs, request.signal);
    }
  }

  /** Logs in; gives the identity token when the registry's token service issues one. */
  login(signal: AbortSignal): Promise<{ readonly identityToken: string | undefined }> {
    return this.#authorizer.login(this.url(''), signal);
  }

  /** The address of something below `/v2/`. */
  url(path: string): URL {
    return apiUrl(this.address.domain, this.address.scheme, path);
  }

  async #sendOnce(request: RegistryRequest): Promise<HttpResponse> {
    const url = typeof request.path === 'string' ? this.url(request.path) : request.path;
    const sent: HttpRequest = {
      url,
      signal: request.signal,
      headers: { ...this.address.headers, ...request.headers },
      ...(request.method === undefined ? {} : { method: request.method }),
      ...(request.body === undefined ? {} : { body: request.body }),
    };
    // An upload may continue elsewhere (object storage): the credentials are not for that host.
    if (url.origin !== this.url('').origin) return this.#http.request({ ...sent, headers: request.headers ?? {} });
    return this.#authorizer.send(sent, request.scope);
  }
}
