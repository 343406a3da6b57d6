import { VicError } from '@vic/errors';
import { HttpClient } from '@vic/http-client';
import type { ProxySettings } from '@vic/http-client';
import type { RegistryCredentials } from './credentials.ts';
import { RegistryHttp } from './registry-http.ts';
import { RemoteRegistry } from './remote-registry.ts';

/** One registry by its URL, as an administrator configured it. */
export interface RegistryConnectionOptions {
  /** `https://registry.example.com:5000`; `http:` is taken at its word. */
  readonly url: string;
  readonly credentials?: RegistryCredentials;
  /** Takes any certificate. */
  readonly insecure?: boolean;
  /** PEM certificates of authorities trusted besides the public ones. */
  readonly ca?: string;
  readonly proxy?: ProxySettings;
  readonly userAgent?: string;
  readonly stallTimeoutMs?: number;
  readonly resumeDelayMs?: number;
  readonly maxBusyWaitMs?: number;
  /** Headers sent with every request to the registry. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A registry with connections of its own. */
export interface RegistryConnection extends AsyncDisposable {
  readonly registry: RemoteRegistry;
  /** The same trust and deadlines, for the registry's other APIs. */
  readonly http: HttpClient;
  readonly baseUrl: URL;
}

/** Opens a registry by its URL; nothing is sent yet. */
export function connectRegistry(options: RegistryConnectionOptions): RegistryConnection {
  const baseUrl = parseBaseUrl(options.url);
  const http = new HttpClient({
    userAgent: options.userAgent ?? 'vic-registry-client/0.1',
    idleTimeoutMs: options.stallTimeoutMs ?? 60_000,
    tls: {
      insecure: options.insecure ?? false,
      ...(options.ca === undefined || options.ca === '' ? {} : { ca: options.ca }),
    },
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
  });
  const address = {
    domain: baseUrl.host,
    scheme: baseUrl.protocol === 'http:' ? ('http' as const) : ('https' as const),
    ...(options.maxBusyWaitMs === undefined ? {} : { maxBusyWaitMs: options.maxBusyWaitMs }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  };
  const registryHttp = new RegistryHttp(http, address, options.credentials);
  const resume = options.resumeDelayMs === undefined ? {} : { resumeDelayMs: options.resumeDelayMs };
  return {
    registry: new RemoteRegistry(registryHttp, resume),
    http,
    baseUrl,
    [Symbol.asyncDispose]: async () => http[Symbol.asyncDispose](),
  };
}

function parseBaseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_URL_INVALID',
    message: `"${text.slice(0, 200).replace(/\/\/[^@/]*@/, '//…@')}" is not the http or https URL of a registry.`,
  });
}
