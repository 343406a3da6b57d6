import { withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import { HttpClient, type HttpRequest, type HttpResponse } from '@vic/http-client';
import {
  compareVersions,
  decodeResponse,
  encodeRequest,
  KNOWN_VERSIONS,
  methodMeta,
  readXml,
  RESPONSE_LIMITS,
  soapAction,
  type ApiVersion,
  type ManagedObjectReference,
  type MethodArgs,
  type MethodName,
  type MethodResult,
  type XmlElement,
} from '@vic/vim';

/** Whom to connect to, and what proves that it is them; without either the public authorities are trusted. */
export interface ConnectionOptions {
  /** `https://host[:port]`, with or without `/sdk`. */
  readonly url: string;
  /** Fingerprint of the one certificate accepted. */
  readonly thumbprint?: string;
  /** PEM certificates of further authorities. */
  readonly ca?: string | readonly string[];
}

/** How one call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the whole call may take. */
  readonly timeoutMs?: number;
}

const DEFAULT_CALL_TIMEOUT_MS = 60_000;
/** A server that does not say what it speaks is taken for the oldest supported. */
const FALLBACK_VERSION: ApiVersion = '6.0';
/** Every wait for a task and every watch holds one while it lasts; other calls must not queue behind them. */
const MAX_CONNECTIONS = 256;
const VERSIONS_LIMIT_BYTES = 256 * 1024;

/** The HTTP side of a session: one pool of connections, one cookie, one API version. */
export class Connection implements AsyncDisposable {
  /** Scheme, host and port of the server. */
  readonly origin: string;
  readonly #http: HttpClient;
  #cookie: string | undefined;
  #version: ApiVersion = FALLBACK_VERSION;

  constructor(options: ConnectionOptions) {
    this.origin = originOf(options.url);
    this.#http = new HttpClient({
      connectionsPerOrigin: MAX_CONNECTIONS,
      tls: {
        ...(options.thumbprint === undefined ? {} : { thumbprint: options.thumbprint }),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
    });
  }

  /** The API version agreed on. */
  get version(): ApiVersion {
    return this.#version;
  }

  /** What identifies the session, changed by every login. */
  get session(): string | undefined {
    return this.#cookie;
  }

  /** Settles on the newest version that both sides know. */
  async negotiate(signal?: AbortSignal): Promise<void> {
    const url = `${this.origin}/sdk/vimServiceVersions.xml`;
    const text = await withDeadline(
      `the API versions of ${this.origin}`,
      DEFAULT_CALL_TIMEOUT_MS,
      async (deadline) => {
        const response = await this.#http.request({ url, maxRedirects: 0, signal: deadline });
        if (response.ok) return response.text(VERSIONS_LIMIT_BYTES);
        response.discard();
        return undefined;
      },
      signal,
    );
    this.#version = text === undefined ? FALLBACK_VERSION : newestCommonVersion(text);
  }

  /** Calls a method once, in the session as it is. */
  async call<M extends MethodName>(
    self: ManagedObjectReference,
    method: M,
    args: MethodArgs<M>,
    options: CallOptions = {},
  ): Promise<MethodResult<M>> {
    this.#requireKnown(method);
    const body = encodeRequest(method, self, args, { version: this.#version, tooNew: 'refuse' });
    const timeoutMs = options.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    const post = (signal: AbortSignal): Promise<Buffer> => this.#post(body, method, timeoutMs, signal);
    const answer = await withDeadline(`${method} at ${this.origin}`, timeoutMs, post, options.signal);
    return decodeResponse(method, answer);
  }

  /** Sends another request to the same server with the session's cookie. */
  async request(path: string, request: Omit<HttpRequest, 'url' | 'maxRedirects'>): Promise<HttpResponse> {
    const cookie = this.#cookie === undefined ? {} : { cookie: this.#cookie };
    const headers = { ...cookie, ...request.headers };
    return this.#http.request({ ...request, url: `${this.origin}${path}`, headers, maxRedirects: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  async #post(body: string, method: string, timeoutMs: number, signal: AbortSignal): Promise<Buffer> {
    const response = await this.request('/sdk', {
      method: 'POST',
      headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: soapAction(this.#version) },
      body,
      signal,
      headersTimeoutMs: timeoutMs,
      idleTimeoutMs: timeoutMs,
    });
    // SOAP puts faults into answers of status 500.
    if (response.status !== 200 && response.status !== 500) {
      response.discard();
      throw unexpectedStatus(this.origin, method, response.status);
    }
    this.#keepCookie(response);
    return response.bytes(RESPONSE_LIMITS.maxBytes);
  }

  #keepCookie(response: HttpResponse): void {
    for (const line of response.headerLines('set-cookie')) {
      const pair = /^\s*(vmware_soap_session=[^;]*)/.exec(line)?.[1];
      if (pair !== undefined) this.#cookie = pair;
    }
  }

  #requireKnown(method: MethodName): void {
    const since = methodMeta(method)?.since ?? FALLBACK_VERSION;
    if (compareVersions(since, this.#version) <= 0) return;
    throw new VicError({
      class: 'NotSupported',
      code: 'VIM_VERSION_TOO_OLD',
      message: `${method} needs vSphere API ${since}; ${this.origin} has ${this.#version}.`,
    });
  }
}

function originOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'https:' && parsed.username === '') return parsed.origin;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'VIM_URL_INVALID',
    message: 'The vSphere server is not given as https://host[:port] without credentials.',
  });
}

/** Both the version of the `urn:vim25` namespace and the prior ones that the server still speaks are candidates. */
function newestCommonVersion(text: string): ApiVersion {
  const offered = new Set<string>();
  const collect = (element: XmlElement): void => {
    if (element.local === 'version') offered.add(element.text.trim());
    for (const child of element.children) collect(child);
  };
  for (const namespace of readXml(text, RESPONSE_LIMITS).children) {
    const isVim = namespace.children.some((child) => child.local === 'name' && child.text.trim() === 'urn:vim25');
    if (isVim) collect(namespace);
  }
  return KNOWN_VERSIONS.findLast((version) => offered.has(version)) ?? FALLBACK_VERSION;
}

function unexpectedStatus(origin: string, method: string, status: number): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'VIM_HTTP_STATUS',
    message: `${origin} answered ${method} with HTTP status ${status}.`,
    remedy: 'Check that the address is that of a vCenter Server or an ESXi host.',
  });
}
