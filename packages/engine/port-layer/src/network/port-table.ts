import type { ContainerId } from '@vic/ids';
import type { PortBinding } from '../execution/index.ts';
import { hostAddressRefused, portTaken, portsExhausted } from './network-errors.ts';

/** First and last port given to containers that ask for any, as Docker's (Linux's own ephemeral range). */
const FIRST_EPHEMERAL = 32_768;
const LAST_EPHEMERAL = 60_999;

/** A port of the endpoint that leads to a container. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  readonly address: string;
  readonly containerPort: number;
}

/** Whose ports they are. */
export interface PortOwner {
  readonly containerId: ContainerId;
  readonly containerName: string;
  readonly endpoint: { readonly address: string };
}

interface Allocation {
  readonly containerId: ContainerId;
  readonly port: PublishedPort;
}

/** Which ports of the endpoint are published for which container. */
export class PortTable {
  readonly #publicAddress: string;
  readonly #reserved: ReadonlySet<number>;
  readonly #allocations = new Map<string, Allocation>();
  #nextEphemeral = FIRST_EPHEMERAL;

  constructor(options: { readonly publicAddress: string; readonly reserved: readonly number[] }) {
    this.#publicAddress = options.publicAddress;
    this.#reserved = new Set(options.reserved);
  }

  /** Allocates all of the bindings, or none; ports asked for by number come before those chosen here. */
  allocate(owner: PortOwner, bindings: readonly PortBinding[]): readonly PortBinding[] {
    const chosen = new Map<PortBinding, PortBinding>();
    try {
      for (const binding of bindings) this.#assertHostAddress(binding.hostAddress);
      for (const binding of bindings.toSorted(
        (left, right) => Number(left.hostPort === 0) - Number(right.hostPort === 0),
      )) {
        const hostPort = binding.hostPort === 0 ? this.#freePort(owner, binding.protocol) : binding.hostPort;
        this.#take(owner, binding, hostPort);
        chosen.set(binding, { ...binding, hostPort });
      }
    } catch (error) {
      for (const binding of chosen.values()) this.#allocations.delete(keyOf(binding.protocol, binding.hostPort));
      throw error;
    }
    return bindings.map((binding) => chosen.get(binding) ?? binding);
  }

  /** Frees the container's ports; whether it had any. */
  free(containerId: ContainerId): boolean {
    const before = this.#allocations.size;
    for (const [key, allocation] of this.#allocations) {
      if (allocation.containerId === containerId) this.#allocations.delete(key);
    }
    return this.#allocations.size < before;
  }

  /** Everything that is published. */
  published(): readonly PublishedPort[] {
    return [...this.#allocations.values()].map((allocation) => allocation.port);
  }

  #take(owner: PortOwner, binding: PortBinding, hostPort: number): void {
    const { protocol, containerPort, hostAddress } = binding;
    const key = keyOf(protocol, hostPort);
    const reserved = protocol === 'tcp' && this.#reserved.has(hostPort);
    if (reserved || this.#allocations.has(key)) throw portTaken(owner.containerName, hostAddress, hostPort);
    const port = { protocol, hostPort, address: owner.endpoint.address, containerPort };
    this.#allocations.set(key, { containerId: owner.containerId, port });
  }

  /** Goes round the range, so that a port just freed is not given to somebody else at once. */
  #freePort(owner: PortOwner, protocol: 'tcp' | 'udp'): number {
    for (let tried = FIRST_EPHEMERAL; tried <= LAST_EPHEMERAL; tried++) {
      const port = this.#nextEphemeral;
      this.#nextEphemeral = port === LAST_EPHEMERAL ? FIRST_EPHEMERAL : port + 1;
      if (!this.#allocations.has(keyOf(protocol, port)) && !this.#reserved.has(port)) return port;
    }
    throw portsExhausted(owner.containerName);
  }

  #assertHostAddress(hostAddress: string): void {
    if (['', '0.0.0.0', this.#publicAddress].includes(hostAddress)) return;
    throw hostAddressRefused(hostAddress, this.#publicAddress);
  }
}

function keyOf(protocol: string, port: number): string {
  return `${protocol}/${port}`;
}
