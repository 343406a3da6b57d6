import type { ContainerId, NetworkId } from '@vic/ids';

/** One NIC of the endpoint, found in its network namespace by MAC. */
export interface EndpointInterface {
  /** Lower-case, colon separated. */
  readonly mac: string;
}

/** What the network domain is configured with; part of the VCH's configuration. */
export interface NetworkConfiguration {
  /** UUID of the VCH; network ids are derived from it. */
  readonly vchId: string;
  /** `address` in CIDR form; the default route goes through `gateway` when there is one. */
  readonly public: EndpointInterface & { readonly address: string; readonly gateway: string | undefined };
  readonly bridge: EndpointInterface;
  /** Range bridge networks are carved from, and the prefix length of each. */
  readonly bridgeRange: string;
  readonly bridgeWidth: number;
  /** Where names that are no container's are looked up. */
  readonly dnsServers: readonly string[];
  /** Ports of the endpoint's own services, which containers cannot publish. */
  readonly reservedPorts: readonly number[];
  /** Services of the infrastructure that containers are kept away from although their traffic could be routed there. */
  readonly shielded: readonly { readonly address: string; readonly port: number }[];
}

/** A network containers can be connected to. */
export interface ContainerNetwork {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: 'bridge';
  /** CIDR. */
  readonly subnet: string;
  readonly gateway: string;
  readonly prefixLength: number;
}

/** Who wants an address, and which. */
export interface EndpointRequest {
  readonly containerId: ContainerId;
  readonly containerName: string;
  /** Name or id of a network; `undefined` for the default one. */
  readonly network: string | undefined;
  readonly aliases: readonly string[];
  /** Dotted; chosen when absent. */
  readonly requestedAddress: string | undefined;
}
