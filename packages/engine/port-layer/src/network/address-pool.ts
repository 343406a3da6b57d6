import type { Ipv4Network } from '@vic/ipv4';
import { containsAddress, formatIpv4, isIpv4, lastAddress, parseIpv4, parseIpv4Network } from '@vic/ipv4';
import { addressInUse, addressOutside, addressesExhausted } from './network-errors.ts';

/** The addresses of one network; the lowest free one is given first, as Docker does. */
export class AddressPool {
  readonly #subnet: string;
  readonly #network: Ipv4Network;
  readonly #taken = new Set<number>();
  /** No address below this one is free. */
  #lowestFree: number;

  constructor(subnet: string, reserved: readonly string[]) {
    this.#subnet = subnet;
    this.#network = parseIpv4Network(subnet);
    this.#lowestFree = this.#network.base + 1;
    for (const address of reserved) this.#taken.add(parseIpv4(address));
  }

  /** The lowest free address; `ResourceExhausted` when there is none. */
  take(): string {
    // The last address of a network is its broadcast address.
    for (let address = this.#lowestFree; address < lastAddress(this.#network); address++) {
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      this.#lowestFree = address + 1;
      return formatIpv4(address);
    }
    throw addressesExhausted(this.#subnet);
  }

  /** Takes that very address; refused when it is held already or does not belong to the network. */
  takeExactly(text: string): string {
    if (!isIpv4(text)) throw addressOutside(text, this.#subnet);
    const address = parseIpv4(text);
    const usable = containsAddress(this.#network, address) && address !== this.#network.base;
    if (!usable || address === lastAddress(this.#network)) throw addressOutside(text, this.#subnet);
    if (this.#taken.has(address)) throw addressInUse(text);
    this.#taken.add(address);
    return text;
  }

  /** Whether the address lies in the network at all. */
  covers(text: string): boolean {
    return isIpv4(text) && containsAddress(this.#network, parseIpv4(text));
  }

  /** Gives an address back. */
  give(text: string): void {
    const address = parseIpv4(text);
    this.#taken.delete(address);
    this.#lowestFree = Math.min(this.#lowestFree, address);
  }
}
