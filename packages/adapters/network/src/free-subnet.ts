import { VicError } from '@vic/errors';
import { formatIpv4Network, networksOverlap, parseIpv4Network } from '@vic/ipv4';
import type { NetworkScope } from './ip-command.ts';
import { listRoutes } from './routes.ts';

/** Where free /24 networks are looked for: private ranges few sites use, and not VIC's own 172.16.0.0/12. */
const CANDIDATES: readonly string[] = [
  ...Array.from({ length: 254 }, (_unused, third) => `192.168.${254 - third}.0/24`),
  ...Array.from({ length: 256 }, (_unused, third) => `10.213.${third}.0/24`),
];

/** The first candidate /24 that overlaps none of the networks in use; `ResourceExhausted` when all do. */
export function chooseFreeSubnet(inUse: readonly string[]): string {
  const taken = inUse.map(parseIpv4Network);
  const free = CANDIDATES.find((candidate) => {
    const network = parseIpv4Network(candidate);
    return !taken.some((other) => networksOverlap(network, other));
  });
  if (free !== undefined) return free;
  throw new VicError({
    class: 'ResourceExhausted',
    code: 'NETWORK_NO_FREE_SUBNET',
    message: 'Every private /24 network that could be used already has a route on this host.',
    remedy: 'Name a free network in the configuration.',
  });
}

/** A /24 that clashes with no route and no address of the scope, nor with the networks given. */
export async function findFreeSubnet(scope: NetworkScope, alsoInUse: readonly string[] = []): Promise<string> {
  const routes = await listRoutes(scope);
  const destinations = routes.map((route) => route.destination).filter((destination) => destination !== 'default');
  return chooseFreeSubnet([...destinations, ...alsoInUse].map(normalised));
}

function normalised(cidr: string): string {
  return formatIpv4Network(parseIpv4Network(cidr));
}
