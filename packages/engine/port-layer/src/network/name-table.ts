import type { ContainerId } from '@vic/ids';

/** Which names lead to which running containers; an alias may lead to several. Names are compared without case. */
export class NameTable {
  readonly #addressesByName = new Map<string, Map<ContainerId, string>>();
  readonly #containers = new Map<ContainerId, { readonly address: string; readonly names: readonly string[] }>();

  /** Adds a container under its names, the first being the one reverse look-ups answer with. */
  add(containerId: ContainerId, address: string, names: readonly string[]): void {
    this.remove(containerId);
    const lowerCase = names.map((name) => name.toLowerCase());
    this.#containers.set(containerId, { address, names: lowerCase });
    for (const name of lowerCase) {
      this.#addressesByName.getOrInsertComputed(name, () => new Map()).set(containerId, address);
    }
  }

  /** Forgets a container; whether it was there. */
  remove(containerId: ContainerId): boolean {
    const container = this.#containers.get(containerId);
    if (container === undefined) return false;
    this.#containers.delete(containerId);
    for (const name of container.names) {
      const addresses = this.#addressesByName.get(name);
      addresses?.delete(containerId);
      if (addresses?.size === 0) this.#addressesByName.delete(name);
    }
    return true;
  }

  /** Addresses of the containers with that name or alias. */
  addressesOf(name: string): readonly string[] {
    return [...(this.#addressesByName.get(name.toLowerCase())?.values() ?? [])];
  }

  /** Name of the running container with that address. */
  nameOf(address: string): string | undefined {
    for (const container of this.#containers.values()) {
      if (container.address === address) return container.names[0];
    }
    return undefined;
  }
}
