import type { Logger } from '@vic/log';
import type { ContainerId, ImageId } from '@vic/ids';
import type { LogFiles } from '../logging/index.ts';
import type { EndpointRequest } from '../network/index.ts';
import type { NetworkEndpoint, PortBinding, Shape } from './container.ts';
import type { MachineInfrastructure } from './machine.ts';

/** Networks of the VCH as the execution needs them: addresses, published ports and names. */
export interface ExecutionNetworks {
  /** Holds an address for a container until {@link release}. */
  reserve(request: EndpointRequest): NetworkEndpoint;
  release(id: ContainerId): void;
  rename(id: ContainerId, name: string): void;
  /** Makes a starting container known by its names and publishes its ports; gives the host ports chosen. */
  connect(id: ContainerId, ports: readonly PortBinding[]): Promise<readonly PortBinding[]>;
  /** Undoes {@link connect}; harmless when there is nothing to undo. */
  disconnect(id: ContainerId): Promise<void>;
  /** Takes back what a container's record says it has; before {@link open}. `publishedPorts` of a running one. */
  restore(
    container: { readonly containerId: ContainerId; readonly containerName: string },
    endpoint: NetworkEndpoint,
    publishedPorts: readonly PortBinding[] | undefined,
  ): void;
  /** Puts everything restored in force. */
  open(signal: AbortSignal): Promise<void>;
}

/** What the execution of one VCH is configured with. */
export interface ExecutionConfiguration {
  /** UUID of the VCH; marks its machines. */
  readonly vchId: string;
  /** What container secrets are derived from; never empty. */
  readonly vchKey: string;
  /** Where the interaction channels dial, such as `tcp://172.16.0.1:2377`. */
  readonly interactionUri: string;
  readonly defaultShape: Shape;
  /** Datastore that holds the containers' folders, such as `datastore1`. */
  readonly datastore: string;
  /** Size of containers' disks. */
  readonly diskBytes: number;
  /** Name of the VM with `{name}` and `{id}` (the short id) replaced. */
  readonly nameConvention: string;
  /** Distinguishes templates made from different boot images. */
  readonly templateVersion: string;
  /** Port group of the bridge network; templates are connected to it too. */
  readonly bridgePortGroup: string;
  /** How long a created container that is not started keeps its memory. */
  readonly idlePowerOffMs: number;
  /** How long after the news that a machine is off its guest's last words may come. */
  readonly lastWordsMs: number;
  /** How long a tether may be away before its machine is looked at. */
  readonly tetherAwayMs: number;
}

/** What the execution needs from others. */
export interface ExecutionDeps {
  readonly machines: MachineInfrastructure;
  readonly networks: ExecutionNetworks;
  /** Datastore path of an image's top disk; `NotFound` for an unknown image. */
  readonly topDiskOf: (image: ImageId) => Promise<string>;
  readonly logFiles: LogFiles;
  readonly clock: { nowNs(): bigint };
  readonly logger: Logger;
  readonly configuration: ExecutionConfiguration;
}
