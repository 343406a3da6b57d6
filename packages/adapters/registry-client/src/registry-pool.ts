import { SingleFlight } from '@vic/async';
import { HttpClient } from '@vic/http-client';
import type { ProxySettings } from '@vic/http-client';
import type { RegistryCredentials } from './credentials.ts';
import { isInsecure, probeScheme } from './registry-host.ts';
import { RegistryHttp } from './registry-http.ts';
import type { RegistryAddress } from './registry-http.ts';
import { RemoteRegistry } from './remote-registry.ts';

/** How registries are reached. */
export interface RegistryPoolOptions {
  /** Registries that may be spoken to without verified TLS, or without TLS: hosts, `host:port`, IPv4 ranges. */
  readonly insecureRegistries?: readonly string[];
  /** PEM certificates of authorities that sign registries' certificates, besides the public ones. */
  readonly registryCa?: readonly string[];
  readonly proxy?: ProxySettings;
  readonly userAgent?: string;
  /** A transfer that brings nothing for this long is broken off and resumed. */
  readonly stallTimeoutMs?: number;
  /** Pause before a broken transfer is resumed; doubled while it stays broken. */
  readonly resumeDelayMs?: number;
  /** See {@link RegistryAddress.maxBusyWaitMs}. */
  readonly maxBusyWaitMs?: number;
  /** Headers sent with every request to a registry. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Connections to any number of registries under one trust. */
export class RegistryPool implements AsyncDisposable {
  readonly #options: RegistryPoolOptions;
  readonly #verified: HttpClient;
  readonly #unverified: HttpClient;
  readonly #schemes = new Map<string, 'http' | 'https'>();
  readonly #probes = new SingleFlight<'http' | 'https'>();
  readonly #registries = new WeakMap<object, Map<string, RemoteRegistry>>();

  constructor(options: RegistryPoolOptions = {}) {
    this.#options = options;
    const shared = {
      userAgent: options.userAgent ?? 'vic-registry-client/0.1',
      idleTimeoutMs: options.stallTimeoutMs ?? 60_000,
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    };
    const tls = options.registryCa === undefined ? {} : { tls: { ca: options.registryCa } };
    this.#verified = new HttpClient({ ...shared, ...tls });
    this.#unverified = new HttpClient({ ...shared, tls: { insecure: true } });
  }

  /**
   * The registry as the user of the credentials sees it.
   *
   * One per credentials object and registry: a pull's requests share their tokens, two users' never do.
   */
  async connect(
    domain: string,
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal,
  ): Promise<RemoteRegistry> {
    const insecure = isInsecure(domain, this.#options.insecureRegistries ?? []);
    const scheme = insecure ? await this.#schemeOf(domain, signal) : 'https';
    const owner = credentials ?? ANONYMOUS;
    const ofOwner = this.#registries.getOrInsertComputed(owner, () => new Map<string, RemoteRegistry>());
    return ofOwner.getOrInsertComputed(domain, () => {
      const { maxBusyWaitMs, headers, resumeDelayMs } = this.#options;
      const address: RegistryAddress = {
        domain,
        scheme,
        ...(maxBusyWaitMs === undefined ? {} : { maxBusyWaitMs }),
        ...(headers === undefined ? {} : { headers }),
      };
      const http = new RegistryHttp(insecure ? this.#unverified : this.#verified, address, credentials);
      return new RemoteRegistry(http, resumeDelayMs === undefined ? {} : { resumeDelayMs });
    });
  }

  /** Closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#verified[Symbol.asyncDispose](), this.#unverified[Symbol.asyncDispose]()]);
  }

  async #schemeOf(domain: string, signal: AbortSignal): Promise<'http' | 'https'> {
    const known = this.#schemes.get(domain);
    if (known !== undefined) return known;
    const scheme = await this.#probes.run(domain, async () => probeScheme(domain, this.#unverified, signal));
    this.#schemes.set(domain, scheme);
    return scheme;
  }
}

const ANONYMOUS = {};
