import { createHash } from 'node:crypto';
import { parseIpv4 } from '@vic/ipv4';

/** Addresses of a /10 are told apart. */
const RANGE = 2 ** 22;

/**
 * The MAC of the container of a VCH with that address.
 *
 * It lies in 00:50:56:00:00:00 – 00:50:56:3f:ff:ff, the only range vCenter accepts for addresses given by hand. It
 * goes with the address, so that a neighbour who remembers who had it before is right; and with the VCH, because
 * others may use the same addresses on port groups of their own, and a server refuses a MAC that it has seen.
 */
export function macOf(vchId: string, address: string): string {
  const offset = createHash('sha256').update(vchId).digest().readUInt32BE() % RANGE;
  const low = ((parseIpv4(address) % RANGE) + offset) % RANGE;
  const bytes = [Math.floor(low / 65_536), Math.floor(low / 256) % 256, low % 256];
  return ['00:50:56', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
