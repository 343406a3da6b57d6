import { BandwidthLimit, RegistryBusyError } from '@vic/registry-client';
import type { RegistryConnection, RemoteRegistry } from '@vic/registry-client';
import type { RegistryEndpoint } from '../endpoints/registry-endpoint.ts';
import type { PeerFactory } from '../peers/peer-factory.ts';
import { UpstreamLimited } from './proxy-errors.ts';
import type { ProxySettings } from './proxy-project.ts';

interface OpenUpstream {
  readonly connection: RegistryConnection;
  readonly updatedAtMs: number;
}

/** The longest that an upstream which limits us is left alone. */
const MAX_BACK_OFF_MS = 15 * 60_000;
const DEFAULT_BACK_OFF_MS = 10_000;
const OWN_LIMIT_RETRY_MS = 1_000;

/** Connections to upstreams, within the limits of the projects and of the upstreams themselves. */
export class UpstreamConnections implements AsyncDisposable {
  readonly #factory: Pick<PeerFactory, 'connect'>;
  readonly #open = new Map<number, OpenUpstream>();
  readonly #limits = new Map<string, BandwidthLimit>();
  readonly #inUse = new Map<number, number>();
  readonly #leftAloneUntilMs = new Map<number, number>();

  constructor(factory: Pick<PeerFactory, 'connect'>) {
    this.#factory = factory;
  }

  /** Asks an upstream; one that said to come back later is not asked before. */
  async ask<T>(
    endpoint: RegistryEndpoint,
    settings: ProxySettings,
    question: (registry: RemoteRegistry) => Promise<T>,
  ): Promise<T> {
    const registry = await this.#registryOf(endpoint);
    using _slot = this.#enter(endpoint, settings);
    try {
      return await question(registry);
    } catch (error) {
      this.#learn(endpoint, error);
      throw error;
    }
  }

  /** The project's share of bandwidth; `undefined` without a limit. */
  bandwidth({ projectId, speedKiBPerSecond }: ProxySettings): BandwidthLimit | undefined {
    if (speedKiBPerSecond === 0) return undefined;
    return this.#limits.getOrInsertComputed(
      `${projectId}:${speedKiBPerSecond}`,
      () => new BandwidthLimit(speedKiBPerSecond * 1024),
    );
  }

  /** Closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.values()].map(async ({ connection }) => connection[Symbol.asyncDispose]()));
    this.#open.clear();
  }

  #enter(endpoint: RegistryEndpoint, { projectId, maxConnections }: ProxySettings): Disposable {
    const waitMs = (this.#leftAloneUntilMs.get(endpoint.id) ?? 0) - Date.now();
    if (waitMs > 0) throw new UpstreamLimited(waitMs);
    const inUse = this.#inUse.get(projectId) ?? 0;
    if (maxConnections > 0 && inUse >= maxConnections) throw new UpstreamLimited(OWN_LIMIT_RETRY_MS);
    this.#inUse.set(projectId, inUse + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#inUse.get(projectId) ?? 1) - 1;
        if (left > 0) this.#inUse.set(projectId, left);
        else this.#inUse.delete(projectId);
      },
    };
  }

  #learn({ id }: RegistryEndpoint, error: unknown): void {
    if (!(error instanceof RegistryBusyError)) return;
    const pauseMs = Math.min(error.retryAfterMs ?? DEFAULT_BACK_OFF_MS, MAX_BACK_OFF_MS);
    this.#leftAloneUntilMs.set(id, Date.now() + pauseMs);
  }

  async #registryOf(endpoint: RegistryEndpoint): Promise<RemoteRegistry> {
    const known = this.#open.get(endpoint.id);
    if (known?.updatedAtMs === endpoint.updatedAtMs) return known.connection.registry;
    // What is under way on the old settings fails and is asked again by its client.
    this.#open.delete(endpoint.id);
    const connection = this.#factory.connect(endpoint, { maxBusyWaitMs: 0 });
    this.#open.set(endpoint.id, { connection, updatedAtMs: endpoint.updatedAtMs });
    this.#leftAloneUntilMs.delete(endpoint.id);
    await known?.connection[Symbol.asyncDispose]();
    return connection.registry;
  }
}
