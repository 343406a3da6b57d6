import type { RegistryEndpoints } from '../endpoints/registry-endpoints.ts';
import type { RegistryEndpoint } from '../endpoints/registry-endpoint.ts';
import { hostOf } from '../endpoints/validate-endpoint.ts';
import { LocalPeer } from '../peers/local-peer.ts';
import type { LocalPeerDeps } from '../peers/local-peer.ts';
import type { PeerFactory } from '../peers/peer-factory.ts';
import type { ReplicationPeer } from '../peers/replication-peer.ts';
import type { ReplicationPolicy } from '../policies/replication-policy.ts';

/** Both ends of a policy. */
export interface PolicyPeers extends AsyncDisposable {
  readonly source: ReplicationPeer;
  readonly target: ReplicationPeer;
  readonly endpoint: RegistryEndpoint;
}

/** Opens the ends of policies. */
export class ReplicationPeers {
  readonly #endpoints: Pick<RegistryEndpoints, 'get'>;
  readonly #factory: PeerFactory;
  readonly #local: LocalPeerDeps;

  constructor(deps: {
    readonly endpoints: Pick<RegistryEndpoints, 'get'>;
    readonly factory: PeerFactory;
    readonly local: LocalPeerDeps;
  }) {
    this.#endpoints = deps.endpoints;
    this.#factory = deps.factory;
    this.#local = deps.local;
  }

  /** Opens both ends; nothing is sent yet. */
  async open(policy: ReplicationPolicy): Promise<PolicyPeers> {
    const endpoint = await this.#endpoints.get(policy.sourceId ?? policy.destinationId ?? 0);
    const remote = this.#factory.open(endpoint);
    const isPull = policy.sourceId !== undefined;
    const local = new LocalPeer(this.#local, isPull ? hostOf(endpoint.url) : undefined);
    return {
      source: isPull ? remote : local,
      target: isPull ? local : remote,
      endpoint,
      [Symbol.asyncDispose]: async () => remote[Symbol.asyncDispose](),
    };
  }
}
