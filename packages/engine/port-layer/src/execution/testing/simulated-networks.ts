import type { ContainerId, NetworkId } from '@vic/ids';
import type { EndpointRequest } from '../../network/index.ts';
import type { NetworkEndpoint, PortBinding } from '../container.ts';
import type { ExecutionNetworks } from '../dependencies.ts';

/** Addresses and ports in memory. Port 81 is always taken. */
export class SimulatedNetworks implements ExecutionNetworks {
  readonly held = new Set<string>();
  readonly connected = new Map<string, readonly PortBinding[]>();
  readonly #addresses = new Map<string, string>();

  reserve(request: EndpointRequest): NetworkEndpoint {
    let next = 2;
    while (this.held.has(`172.16.0.${next}`)) next++;
    const address = `172.16.0.${next}`;
    this.held.add(address);
    this.#addresses.set(request.containerId, address);
    return {
      network: 'bridge',
      networkId: 'f'.repeat(64) as NetworkId,
      aliases: request.aliases,
      mac: '02:42:AC:10:00:02',
      address,
      prefixLength: 16,
      gateway: '172.16.0.1',
    };
  }

  release(id: ContainerId): void {
    this.held.delete(this.#addresses.get(id) ?? '');
  }

  rename(): void {}

  async connect(id: ContainerId, ports: readonly PortBinding[]): Promise<readonly PortBinding[]> {
    if (ports.some((port) => port.hostPort === 81)) throw new Error('port is already allocated');
    const bindings = ports.map((port) => ({ ...port, hostPort: port.hostPort === 0 ? 32768 : port.hostPort }));
    this.connected.set(id, bindings);
    return bindings;
  }

  async disconnect(id: ContainerId): Promise<void> {
    this.connected.delete(id);
  }

  restore(
    container: { readonly containerId: ContainerId },
    endpoint: NetworkEndpoint,
    publishedPorts: readonly PortBinding[] | undefined,
  ): void {
    this.held.add(endpoint.address);
    this.#addresses.set(container.containerId, endpoint.address);
    if (publishedPorts !== undefined) this.connected.set(container.containerId, publishedPorts);
  }

  async open(): Promise<void> {}
}
