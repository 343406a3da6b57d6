import { isVicError } from '@vic/errors';
import { assertInterfaceName } from './interface-name.ts';
import { ipBatch, ipJson } from './ip-command.ts';
import type { NetworkScope } from './ip-command.ts';

/** One network interface. */
export interface Link {
  readonly name: string;
  /** Lower-case, colon separated; empty for interfaces without one. */
  readonly mac: string;
  readonly up: boolean;
  /** Name of the bridge it is a port of. */
  readonly bridge: string | undefined;
  /** IPv4 addresses with their prefix length. */
  readonly addresses: readonly string[];
}

/** One end of a veth pair. */
export interface VethEnd {
  readonly name: string;
  /** Namespace to create it in; the scope's own when absent. */
  readonly namespace?: string;
  readonly mac?: string;
}

/** All interfaces of the scope, or those of one bridge. */
export async function listLinks(
  scope: NetworkScope,
  filter: { readonly bridge?: string } = {},
): Promise<readonly Link[]> {
  const which = filter.bridge === undefined ? [] : ['master', filter.bridge];
  const rows = await ipJson(scope, ['address', 'show', ...which]);
  return rows.flatMap(toLink);
}

/** The interface with that name, if any. */
export async function findLink(scope: NetworkScope, name: string): Promise<Link | undefined> {
  assertInterfaceName(name);
  try {
    return (await ipJson(scope, ['address', 'show', 'dev', name])).flatMap(toLink)[0];
  } catch (error) {
    if (isVicError(error, { class: 'NotFound' })) return undefined;
    throw error;
  }
}

/** Creates a bridge without spanning tree and brings it up. */
export async function createBridge(scope: NetworkScope, name: string): Promise<void> {
  assertInterfaceName(name);
  // Without forward_delay a new port would be deaf for 15 s.
  await ipBatch(scope, [['link', 'add', 'name', name, 'up', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0']]);
}

/** Creates a tap that the user may open, optionally as a port of a bridge, and brings it up. */
export async function createTap(
  scope: NetworkScope,
  tap: { readonly name: string; readonly ownerUid: number; readonly bridge?: string },
): Promise<void> {
  assertInterfaceName(tap.name);
  await ipBatch(scope, [
    ['tuntap', 'add', 'dev', tap.name, 'mode', 'tap', 'user', String(tap.ownerUid), 'vnet_hdr'],
    ['link', 'set', 'dev', tap.name, ...(tap.bridge === undefined ? [] : ['master', tap.bridge]), 'up'],
  ]);
}

/** Creates a veth pair; `end` stays in the scope, optionally as a port of a bridge. Both ends are brought up. */
export async function createVeth(
  scope: NetworkScope,
  end: VethEnd & { readonly bridge?: string },
  peer: VethEnd,
): Promise<void> {
  assertInterfaceName(end.name);
  assertInterfaceName(peer.name);
  await ipBatch(scope, [
    ['link', 'add', 'name', end.name, ...placed(end), 'type', 'veth', 'peer', 'name', peer.name, ...placed(peer)],
    ['link', 'set', 'dev', end.name, ...(end.bridge === undefined ? [] : ['master', end.bridge]), 'up'],
  ]);
  const peerScope = peer.namespace === undefined ? scope : { ...scope, namespace: peer.namespace };
  await ipBatch(peerScope, [['link', 'set', 'dev', peer.name, 'up']]);
}

/** Makes an interface a port of the bridge, or of none. */
export async function setBridge(scope: NetworkScope, name: string, bridge: string | undefined): Promise<void> {
  assertInterfaceName(name);
  await ipBatch(scope, [['link', 'set', 'dev', name, ...(bridge === undefined ? ['nomaster'] : ['master', bridge])]]);
}

/** Brings an interface up or down. */
export async function setLinkUp(scope: NetworkScope, name: string, up: boolean): Promise<void> {
  assertInterfaceName(name);
  await ipBatch(scope, [['link', 'set', 'dev', name, up ? 'up' : 'down']]);
}

/** Removes an interface (both ends of a veth pair); whether there was one. */
export async function deleteLink(scope: NetworkScope, name: string): Promise<boolean> {
  assertInterfaceName(name);
  try {
    await ipBatch(scope, [['link', 'delete', 'dev', name]]);
    return true;
  } catch (error) {
    if (isVicError(error, { class: 'NotFound' })) return false;
    throw error;
  }
}

function placed(end: VethEnd): string[] {
  return [
    ...(end.mac === undefined ? [] : ['address', end.mac]),
    ...(end.namespace === undefined ? [] : ['netns', end.namespace]),
  ];
}

interface LinkRow {
  readonly ifname: string;
  readonly address?: string;
  readonly flags?: readonly string[];
  readonly master?: string;
  readonly addr_info?: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[];
}

function toLink(row: unknown): readonly Link[] {
  if (!isLinkRow(row)) return [];
  return [
    {
      name: row.ifname,
      mac: row.address ?? '',
      up: row.flags?.includes('UP') ?? false,
      bridge: row.master,
      addresses: (row.addr_info ?? [])
        .filter((info) => info.family === 'inet')
        .map((info) => `${info.local}/${info.prefixlen}`),
    },
  ];
}

function isLinkRow(row: unknown): row is LinkRow {
  return typeof row === 'object' && row !== null && 'ifname' in row && typeof row.ifname === 'string';
}
