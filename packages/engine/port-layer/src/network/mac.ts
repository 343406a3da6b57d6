import { parseIpv4 } from '@vic/ipv4';

/**
 * The MAC of the container with that address.
 *
 * It lies in 00:50:56:00:00:00 – 00:50:56:3f:ff:ff, the only range vCenter accepts for addresses given by hand,
 * and is different for all addresses of a /10.
 */
export function macFromAddress(address: string): string {
  const low = parseIpv4(address) % 2 ** 22;
  const bytes = [Math.floor(low / 65_536), Math.floor(low / 256) % 256, low % 256];
  return ['00:50:56', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
