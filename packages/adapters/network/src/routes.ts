import { assertInterfaceName } from './interface-name.ts';
import { parseIpv4, parseIpv4Interface } from '@vic/ipv4';
import { ipBatch, ipJson } from './ip-command.ts';
import type { NetworkScope } from './ip-command.ts';

/** One IPv4 route. */
export interface Route {
  /** CIDR, or `default`. */
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly interfaceName: string;
}

/** Gives an interface an IPv4 address in CIDR form, unless it has it. */
export async function addAddress(scope: NetworkScope, interfaceName: string, cidr: string): Promise<void> {
  assertInterfaceName(interfaceName);
  parseIpv4Interface(cidr);
  await ipBatch(scope, [['address', 'replace', cidr, 'dev', interfaceName]]);
}

/** Sets the default route, replacing the one that is there. */
export async function setDefaultRoute(scope: NetworkScope, gateway: string): Promise<void> {
  parseIpv4(gateway);
  await ipBatch(scope, [['route', 'replace', 'default', 'via', gateway]]);
}

/** All IPv4 routes of the main table. */
export async function listRoutes(scope: NetworkScope): Promise<readonly Route[]> {
  const rows = await ipJson(scope, ['-4', 'route', 'show']);
  return rows.flatMap((row) =>
    isRouteRow(row) ? [{ destination: withPrefix(row.dst), gateway: row.gateway, interfaceName: row.dev ?? '' }] : [],
  );
}

interface RouteRow {
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
}

function isRouteRow(row: unknown): row is RouteRow {
  return typeof row === 'object' && row !== null && 'dst' in row && typeof row.dst === 'string';
}

function withPrefix(destination: string): string {
  return destination === 'default' || destination.includes('/') ? destination : `${destination}/32`;
}
