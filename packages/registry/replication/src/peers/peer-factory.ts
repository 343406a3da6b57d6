import type { ProxySettings } from '@vic/http-client';
import { connectRegistry } from '@vic/registry-client';
import type { RegistryConnection, RegistryCredentials } from '@vic/registry-client';
import type { EndpointConnection } from '../endpoints/registry-endpoint.ts';
import { DistributionPeer } from './distribution-peer.ts';
import { HarborApi } from './harbor-api.ts';
import { HarborPeer } from './harbor-peer.ts';
import type { ReplicationPeer } from './replication-peer.ts';

/** How other registries are reached. */
export interface PeerFactoryOptions {
  /** How this registry names itself in what it pushes: the host of its external URL. */
  readonly selfName: string;
  readonly proxy?: ProxySettings;
  readonly stallTimeoutMs?: number;
  readonly resumeDelayMs?: number;
}

/** The header by which a copy tells one of our registries where it comes from. */
const ORIGIN_HEADER = 'x-vic-replicated-from';

const USER_AGENT = 'vic-replication/0.1';
const DOCKER_HUB_API = 'https://registry-1.docker.io';

/** Opens connections to endpoints. */
export class PeerFactory {
  readonly #options: PeerFactoryOptions;

  constructor(options: PeerFactoryOptions) {
    this.#options = options;
  }

  /** The endpoint as one end of a replication. */
  open(endpoint: EndpointConnection): ReplicationPeer {
    const connection = this.connect(endpoint);
    if (endpoint.type === 'docker-registry') {
      return new DistributionPeer(endpoint.name, connection, { hasCatalog: true });
    }
    if (endpoint.type === 'docker-hub') return new DistributionPeer(endpoint.name, connection, { hasCatalog: false });
    const api = this.#api(endpoint, connection);
    return new HarborPeer(endpoint.name, connection, { api, deletesTags: endpoint.type === 'vic' });
  }

  /** The endpoint's registry; `maxBusyWaitMs` is how long a 429 is waited for. */
  connect(endpoint: EndpointConnection, options: { readonly maxBusyWaitMs?: number } = {}): RegistryConnection {
    const { selfName, ...shared } = this.#options;
    const credentials = credentialsOf(endpoint);
    return connectRegistry({
      url: endpoint.type === 'docker-hub' ? DOCKER_HUB_API : endpoint.url,
      insecure: endpoint.insecure,
      ca: endpoint.caCertificate,
      userAgent: USER_AGENT,
      ...(endpoint.type === 'vic' ? { headers: { [ORIGIN_HEADER]: selfName } } : {}),
      ...(credentials === undefined ? {} : { credentials }),
      ...shared,
      ...options,
    });
  }

  /** Names of the labels a policy may filter by at that endpoint; none where there is no such thing. */
  async labelsAt(endpoint: EndpointConnection, signal: AbortSignal): Promise<string[]> {
    if (endpoint.type !== 'vic' && endpoint.type !== 'harbor') return [];
    await using connection = this.connect(endpoint);
    return await this.#api(endpoint, connection).listLabels(signal);
  }

  /** Fails, telling why, unless the endpoint answers and takes the credentials. */
  async ping(endpoint: EndpointConnection, signal: AbortSignal): Promise<void> {
    await using connection = this.connect(endpoint, { maxBusyWaitMs: 0 });
    await connection.registry.ping(signal);
  }

  #api(endpoint: EndpointConnection, connection: RegistryConnection): HarborApi {
    const { credential } = endpoint;
    const authorization =
      credential === undefined
        ? undefined
        : credential.type === 'bearer'
          ? `Bearer ${credential.accessSecret}`
          : `Basic ${Buffer.from(`${credential.accessKey}:${credential.accessSecret}`).toString('base64')}`;
    return new HarborApi({ http: connection.http, baseUrl: connection.baseUrl, authorization });
  }
}

function credentialsOf({ credential }: EndpointConnection): RegistryCredentials | undefined {
  if (credential === undefined) return undefined;
  if (credential.type === 'bearer') return { registryToken: credential.accessSecret };
  return { username: credential.accessKey, password: credential.accessSecret };
}
