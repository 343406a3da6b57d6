import { VicError } from '@vic/errors';
import { formatIpv4, formatIpv4Network, parseIpv4Interface, parseIpv4Network } from '@vic/ipv4';
import {
  addAddress,
  createBridge,
  createNamespace,
  createVeth,
  deleteLink,
  deleteNamespace,
  deleteTable,
  findFreeSubnet,
  findLink,
  interfaceNameFor,
  namespaceExists,
  replaceTable,
  setBridge,
  setDefaultRoute,
  writeNetworkSetting,
} from '@vic/network';
import { claimForwarding, releaseForwarding } from './forwarding.ts';
import { exclusively } from './host-lock.ts';
import { bridgeNameOf } from './switches.ts';

/** The port group whose network the host shares with its machines. */
export const VM_NETWORK = 'VM Network';

/** How a host's own network is to be. */
export interface HostNetworkConfig {
  /** Tells several hosts on one machine apart: lower-case letters, digits and dashes. */
  readonly instance: string;
  /** A /24 in CIDR form; one that clashes with no route is chosen when absent. */
  readonly subnet?: string;
  /** `nat` lets machines on `VM Network` reach what the machine itself reaches; `none` keeps them apart. */
  readonly uplink: 'nat' | 'none';
}

/** The network that {@link setUpHostNetwork} made. */
export interface HostNetwork {
  /** Network namespace hostd runs in. */
  readonly namespace: string;
  readonly subnet: string;
  /** Address of the machine itself, which is also the default gateway of `VM Network`. */
  readonly gateway: string;
  /** hostd's own address on `VM Network`. */
  readonly address: string;
}

/** The end of the veth pair inside hostd's namespace. */
const UPLINK = 'uplink';

/**
 * Makes a host's network namespace, its `VM Network` and the way there from the machine it runs on.
 *
 * Can be repeated: what is there already is kept, a half-made network is completed, and the subnet of an earlier
 * run is used again while its interface is there.
 */
export async function setUpHostNetwork(config: HostNetworkConfig): Promise<HostNetwork> {
  // Two hosts that start at the same moment must not find the same subnet free.
  const network = await exclusively('subnets', async () => {
    const plan = planHostNetwork(config.instance, await subnetOf(config));
    await ensureNamespace(plan.namespace);
    await ensureUplink(config.instance, plan);
    return plan;
  });
  await lockDown(network.namespace);
  if (config.uplink === 'nat') await shareUplink(config.instance, network);
  else await withdrawUplink(config.instance);
  return network;
}

/** Removes everything {@link setUpHostNetwork} made, whatever is left of it. */
export async function tearDownHostNetwork(instance: string): Promise<void> {
  assertInstance(instance);
  await withdrawUplink(instance);
  await deleteLink({}, hostInterfaceOf(instance));
  await deleteNamespace(namespaceOf(instance));
}

/** Names and addresses of a host's network on the given /24. */
export function planHostNetwork(instance: string, subnet: string): HostNetwork {
  assertInstance(instance);
  const network = parseIpv4Network(subnet);
  if (network.prefixLength !== 24) {
    throw invalid(`The subnet of the host's network must be a /24, and ${subnet} is not.`);
  }
  return {
    namespace: namespaceOf(instance),
    subnet: formatIpv4Network(network),
    gateway: formatIpv4(network.base + 1),
    address: formatIpv4(network.base + 2),
  };
}

/** Name of the network namespace of a host. */
export function namespaceOf(instance: string): string {
  return `vic-${instance}`;
}

async function subnetOf(config: HostNetworkConfig): Promise<string> {
  if (config.subnet !== undefined) return config.subnet;
  const existing = await findLink({}, hostInterfaceOf(config.instance));
  const address = existing?.addresses[0];
  if (address !== undefined) return formatIpv4Network(parseIpv4Interface(address).network);
  return findFreeSubnet({});
}

async function ensureNamespace(namespace: string): Promise<void> {
  if (await namespaceExists(namespace)) return;
  await deleteNamespace(namespace);
  await createNamespace(namespace);
}

async function ensureUplink(instance: string, network: HostNetwork): Promise<void> {
  const scope = { namespace: network.namespace };
  const hostInterface = hostInterfaceOf(instance);
  const bridge = bridgeNameOf(VM_NETWORK);
  if ((await findLink(scope, bridge)) === undefined) await createBridge(scope, bridge);
  if ((await findLink(scope, UPLINK)) === undefined) {
    await deleteLink({}, hostInterface);
    await createVeth({}, { name: hostInterface }, { name: UPLINK, namespace: network.namespace });
  }
  await setBridge(scope, UPLINK, bridge);
  await addAddress({}, hostInterface, `${network.gateway}/24`);
  await addAddress(scope, bridge, `${network.address}/24`);
  await setDefaultRoute(scope, network.gateway);
}

/**
 * Keeps machines on other port groups away from the host's own addresses.
 *
 * Linux answers for all its addresses on all its interfaces, so without this a container could reach hostd
 * through its VCH's bridge, past the endpoint's firewall.
 */
async function lockDown(namespace: string): Promise<void> {
  const scope = { namespace };
  await writeNetworkSetting(scope, 'ipv4/ip_forward', '0');
  await writeNetworkSetting(scope, 'ipv4/conf/all/arp_ignore', '1');
  await writeNetworkSetting(scope, 'ipv6/conf/all/disable_ipv6', '1');
  await writeNetworkSetting(scope, 'ipv6/conf/default/disable_ipv6', '1');
  await writeNetworkSetting(scope, 'bridge/bridge-nf-call-iptables', '0');
  await replaceTable(
    scope,
    'inet',
    'vic_host',
    [
      'chain input {',
      '  type filter hook input priority filter; policy drop;',
      `  iifname { "lo", "${bridgeNameOf(VM_NETWORK)}" } accept`,
      '}',
      'chain forward { type filter hook forward priority filter; policy drop; }',
    ].join('\n'),
  );
}

/** NAT for the subnet, and nobody from outside in. Done in the machine's own namespace. */
async function shareUplink(instance: string, network: HostNetwork): Promise<void> {
  const hostInterface = hostInterfaceOf(instance);
  await claimForwarding(instance);
  await replaceTable(
    {},
    'ip',
    natTableOf(instance),
    [
      'chain postrouting {',
      '  type nat hook postrouting priority srcnat; policy accept;',
      `  ip saddr ${network.subnet} oifname != "${hostInterface}" masquerade`,
      '}',
      'chain forward {',
      '  type filter hook forward priority filter; policy accept;',
      `  oifname "${hostInterface}" ct state != { established, related } drop`,
      `  iifname "${hostInterface}" ip saddr != ${network.subnet} drop`,
      '}',
    ].join('\n'),
  );
}

async function withdrawUplink(instance: string): Promise<void> {
  await deleteTable({}, 'ip', natTableOf(instance));
  await releaseForwarding(instance);
}

function hostInterfaceOf(instance: string): string {
  return interfaceNameFor('vic', instance);
}

function natTableOf(instance: string): string {
  return interfaceNameFor('vic_', instance);
}

function assertInstance(instance: string): void {
  if (/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(instance)) return;
  throw invalid(
    `"${instance.slice(0, 64)}" is not a valid instance name: 1 to 32 lower-case letters, digits and dashes.`,
  );
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'SWITCH_HOST_NETWORK_INVALID', message });
}
