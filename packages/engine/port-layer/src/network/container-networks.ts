import type { ContainerId } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { NetworkEndpoint, PortBinding } from '../execution/index.ts';
import { AddressPool } from './address-pool.ts';
import { DnsServer } from './dns-server.ts';
import { EndpointFirewall } from './endpoint-firewall.ts';
import { configureInterfaces } from './endpoint-interfaces.ts';
import { NameTable } from './name-table.ts';
import type { ContainerNetwork, EndpointRequest, NetworkConfiguration } from './network-model.ts';
import { alreadyConnected, networkNotFound } from './network-errors.ts';
import { defaultNetwork } from './default-network.ts';
import { macOf } from './mac.ts';
import { PortTable } from './port-table.ts';

/** What {@link ContainerNetworks} works with. */
export interface ContainerNetworksDeps {
  readonly configuration: NetworkConfiguration;
  readonly logger: Logger;
}

const DNS_PORT = 53;

interface Reservation {
  readonly containerId: ContainerId;
  containerName: string;
  readonly endpoint: NetworkEndpoint;
}

/**
 * The networks of one VCH, inside the endpoint's own network namespace.
 *
 * Addresses are held from create to remove ({@link reserve}, {@link release}); names and published ports exist
 * while the container runs ({@link connect}, {@link disconnect}). Nothing is stored: after a restart the execution
 * domain gives back what the container records say with {@link restore}, and then calls {@link open}.
 */
export class ContainerNetworks implements AsyncDisposable {
  readonly #configuration: NetworkConfiguration;
  readonly #network: ContainerNetwork;
  readonly #addresses: AddressPool;
  readonly #names = new NameTable();
  readonly #ports: PortTable;
  readonly #firewall: EndpointFirewall;
  readonly #dns: DnsServer;
  readonly #reservations = new Map<ContainerId, Reservation>();

  constructor(deps: ContainerNetworksDeps) {
    const { configuration } = deps;
    this.#configuration = configuration;
    this.#network = defaultNetwork(configuration);
    this.#addresses = new AddressPool(this.#network.subnet, [this.#network.gateway]);
    this.#ports = new PortTable({
      publicAddress: configuration.public.address.replace(/\/.*/, ''),
      reserved: configuration.reservedPorts,
    });
    this.#firewall = new EndpointFirewall(this.#network, configuration.shielded);
    this.#dns = new DnsServer({
      address: this.#network.gateway,
      port: DNS_PORT,
      upstream: configuration.dnsServers,
      names: this.#names,
      isOurs: (address) => this.#addresses.covers(address),
      logger: deps.logger,
    });
  }

  /**
   * Takes back, after a restart of the endpoint and before {@link open}, what a container's record says it has:
   * its address, and when it runs (`publishedPorts` given) its names and ports.
   */
  restore(
    container: { readonly containerId: ContainerId; readonly containerName: string },
    endpoint: NetworkEndpoint,
    publishedPorts: readonly PortBinding[] | undefined,
  ): void {
    const reservation = { ...container, endpoint };
    this.#addresses.takeExactly(endpoint.address);
    this.#reservations.set(container.containerId, reservation);
    if (publishedPorts === undefined) return;
    this.#ports.allocate(reservation, publishedPorts);
    this.#addNames(reservation);
  }

  /** Gives the endpoint's interfaces their addresses, before anything else needs the network; {@link open} repeats it. */
  async configure(signal: AbortSignal): Promise<void> {
    await configureInterfaces(this.#configuration, this.#network, signal);
  }

  /** Configures the endpoint's interfaces, puts all restored rules in force at once and starts the DNS server. */
  async open(signal: AbortSignal): Promise<void> {
    const interfaces = await configureInterfaces(this.#configuration, this.#network, signal);
    await this.#firewall.open(interfaces, this.#ports.published());
    await this.#dns.start();
  }

  /** All networks; the default one first. */
  list(): readonly ContainerNetwork[] {
    return [this.#network];
  }

  /** A network by name, id or unique id prefix; `NotFound` in Docker's words. */
  get(nameOrId: string): ContainerNetwork {
    const network = this.#network;
    const byId = nameOrId.length > 0 && network.id.startsWith(nameOrId);
    if (nameOrId === network.name || byId) return network;
    throw networkNotFound(nameOrId);
  }

  /** The containers that hold an address, with it, in no particular order. */
  endpoints(): readonly {
    readonly containerId: ContainerId;
    readonly containerName: string;
    readonly endpoint: NetworkEndpoint;
  }[] {
    return [...this.#reservations.values()].map((reservation) => ({ ...reservation }));
  }

  /** Takes an address for a container, until {@link release}. */
  reserve(request: EndpointRequest): NetworkEndpoint {
    if (this.#reservations.has(request.containerId)) throw alreadyConnected(request.containerName);
    const network = request.network === undefined ? this.#network : this.get(request.network);
    const address =
      request.requestedAddress === undefined
        ? this.#addresses.take()
        : this.#addresses.takeExactly(request.requestedAddress);
    const endpoint: NetworkEndpoint = {
      network: network.name,
      networkId: network.id,
      aliases: request.aliases,
      mac: macOf(this.#configuration.vchId, address),
      address,
      prefixLength: network.prefixLength,
      gateway: network.gateway,
    };
    const { containerId, containerName } = request;
    this.#reservations.set(containerId, { containerId, containerName, endpoint });
    return endpoint;
  }

  /** Gives the container's address back, after {@link disconnect}. Nothing happens when it holds none. */
  release(containerId: ContainerId): void {
    const reservation = this.#reservations.get(containerId);
    if (reservation === undefined) return;
    this.#reservations.delete(containerId);
    this.#addresses.give(reservation.endpoint.address);
  }

  /** Lets the container be found under its new name. */
  rename(containerId: ContainerId, containerName: string): void {
    const reservation = this.#reservations.get(containerId);
    if (reservation === undefined) return;
    reservation.containerName = containerName;
    if (this.#names.remove(containerId)) this.#addNames(reservation);
  }

  /**
   * Makes a starting container known by its names and publishes its ports.
   *
   * Gives the bindings with every host port chosen. A port that is taken is a `Conflict` in Docker's words and
   * leaves nothing behind. A container without a network, or connected already, has nothing to be done for it.
   */
  async connect(containerId: ContainerId, ports: readonly PortBinding[]): Promise<readonly PortBinding[]> {
    const reservation = this.#reservations.get(containerId);
    if (reservation === undefined) return [];
    const bindings = this.#ports.allocate(reservation, ports);
    try {
      if (bindings.length > 0) await this.#firewall.apply(this.#ports.published());
    } catch (error) {
      this.#ports.free(containerId);
      throw error;
    }
    this.#addNames(reservation);
    return bindings;
  }

  /** Takes the names and ports of a container that stopped; it keeps its address. */
  async disconnect(containerId: ContainerId): Promise<void> {
    this.#names.remove(containerId);
    if (this.#ports.free(containerId)) await this.#firewall.apply(this.#ports.published());
  }

  /** Stops the DNS server. Addresses and rules stay, so that containers go on while the endpoint restarts. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dns[Symbol.asyncDispose]();
  }

  #addNames(reservation: Reservation): void {
    const { containerId, containerName, endpoint } = reservation;
    this.#names.add(containerId, endpoint.address, [containerName, containerId.slice(0, 12), ...endpoint.aliases]);
  }
}
