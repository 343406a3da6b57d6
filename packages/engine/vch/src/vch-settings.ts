import { containsAddress, isIpv4, networksOverlap, parseIpv4, parseIpv4Interface, parseIpv4Network } from '@vic/ipv4';
import type { VchTlsMode } from './configuration.ts';
import { parseSize } from './size.ts';
import { invalidOption } from './vch-error.ts';

/** What a user may say about a new virtual container host, as typed. */
export interface VchOptions {
  readonly name: string | undefined;
  readonly computeResource: string | undefined;
  readonly imageStore: string | undefined;
  readonly baseImageSize: string | undefined;
  readonly bridgeNetwork: string | undefined;
  readonly bridgeNetworkRange: string | undefined;
  readonly bridgeNetworkWidth: number | undefined;
  readonly publicNetwork: string | undefined;
  readonly publicNetworkIp: string | undefined;
  readonly publicNetworkGateway: string | undefined;
  readonly dnsServers: readonly string[];
  readonly memoryMb: number | undefined;
  readonly memoryReservationMb: number | undefined;
  readonly memoryShares: string | undefined;
  readonly cpuMhz: number | undefined;
  readonly cpuReservationMhz: number | undefined;
  readonly cpuShares: string | undefined;
  readonly endpointCpu: number | undefined;
  readonly endpointMemory: number | undefined;
  readonly tlsCname: string | undefined;
  readonly noTls: boolean;
  readonly noTlsVerify: boolean;
  readonly organization: string | undefined;
  readonly insecureRegistries: readonly string[];
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
  readonly containerNameConvention: string | undefined;
  readonly debug: number | undefined;
}

/** What the VCH's resource pool gets of memory in MB, or of processors in MHz. */
export interface PoolAllocation {
  readonly limit: number | undefined;
  readonly reservation: number;
  /** A level, or how many. */
  readonly shares: 'low' | 'normal' | 'high' | number;
}

/** The same, checked and with the defaults filled in. What depends on the inventory is looked up later. */
export interface VchSettings {
  readonly name: string;
  readonly computeResource: string | undefined;
  /** Datastore and folder; the only datastore when undefined. */
  readonly imageStore: { readonly datastore: string; readonly folder: string } | undefined;
  readonly baseImageSizeBytes: number;
  /** Port group that exists; one named like the VCH is made on a lone host when undefined. */
  readonly bridgeNetwork: string | undefined;
  readonly bridgeRange: string;
  readonly bridgeWidth: number;
  readonly publicNetwork: string;
  /** `undefined` when no address was given. */
  readonly publicAddress: { readonly cidr: string; readonly gateway: string } | undefined;
  readonly dnsServers: readonly string[];
  readonly memory: PoolAllocation;
  readonly cpu: PoolAllocation;
  readonly endpointCpus: number;
  readonly endpointMemoryMb: number;
  readonly tlsMode: VchTlsMode;
  readonly tlsCname: string | undefined;
  readonly organization: string;
  readonly insecureRegistries: readonly string[];
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
  readonly containerNameConvention: string;
  readonly debug: number;
}

const DEFAULT_NAME = 'virtual-container-host';
/** Names become part of VM names, which have room for an id as well. */
const MAX_NAME_CHARACTERS = 31;
const DEFAULT_BASE_IMAGE_BYTES = 8 * 2 ** 30;
/** Enough for the ext4 and a few small layers. */
const MIN_BASE_IMAGE_BYTES = 64 * 2 ** 20;
/** What the original used when the address was static. */
const DEFAULT_DNS_SERVERS = ['8.8.8.8', '8.8.4.4'];
const MAX_DNS_SERVERS = 3;
/** vSphere's bound. */
const MAX_SHARES = 1_000_000;

/** Checks everything that can be checked without the server. */
export function checkVchOptions(options: VchOptions): VchSettings {
  const bridge = checkBridgeRange(options);
  const publicAddress = checkPublicAddress(options, bridge.range);
  return {
    name: checkName(options.name ?? DEFAULT_NAME),
    computeResource: options.computeResource,
    imageStore: options.imageStore === undefined ? undefined : parseImageStore(options.imageStore),
    baseImageSizeBytes: checkBaseImageSize(options.baseImageSize),
    bridgeNetwork: options.bridgeNetwork,
    bridgeRange: bridge.range,
    bridgeWidth: bridge.width,
    publicNetwork: checkPublicNetwork(options),
    publicAddress,
    dnsServers: checkDnsServers(options.dnsServers),
    memory: checkAllocation('--memory', options.memoryMb, options.memoryReservationMb, options.memoryShares),
    cpu: checkAllocation('--cpu', options.cpuMhz, options.cpuReservationMhz, options.cpuShares),
    endpointCpus: checkAtLeast(options.endpointCpu ?? 1, 1, '--endpoint-cpu'),
    endpointMemoryMb: checkAtLeast(options.endpointMemory ?? 2048, 256, '--endpoint-memory'),
    tlsMode: checkTlsMode(options),
    tlsCname: options.tlsCname,
    organization: options.organization ?? options.name ?? DEFAULT_NAME,
    insecureRegistries: options.insecureRegistries.map(checkRegistry),
    httpProxy: checkProxy(options.httpProxy, '--http-proxy', ['http:']),
    httpsProxy: checkProxy(options.httpsProxy, '--https-proxy', ['http:', 'https:']),
    noProxy: options.noProxy,
    containerNameConvention: checkConvention(options.containerNameConvention ?? '{name}-{id}'),
    debug: options.debug ?? 0,
  };
}

function checkName(name: string): string {
  if (name.length > MAX_NAME_CHARACTERS) {
    throw invalidOption(
      `Display name ${name.slice(0, 64)} exceeds the permitted 31 characters limit.`,
      'Please use a shorter --name parameter.',
    );
  }
  const bad = /[%&*$#@!\\/:?"<>;'|[\]{}]|\p{Cc}/u.exec(name)?.[0];
  if (name.trim() === '' || bad !== undefined || name.startsWith('.')) {
    throw invalidOption(
      `--name contains characters that are not allowed: ${bad ?? 'it is empty or starts with a dot'}.`,
    );
  }
  return name;
}

function parseImageStore(text: string): { readonly datastore: string; readonly folder: string } {
  const match = /^(?:ds:\/\/)?(?:\[([^\]]+)\]\s*\/?|([^/[\]]+))(?:\/?(.*))$/.exec(text);
  const datastore = match?.[1] ?? match?.[2];
  const folder = (match?.[3] ?? '').replace(/^\/+|\/+$/g, '');
  if (datastore === undefined || !/^[A-Za-z0-9_ /-]*$/.test(folder)) {
    throw invalidOption(
      `The image store "${text.slice(0, 100)}" is not valid: paths take letters, digits, -, _ and spaces.`,
      'Write --image-store as datastore or datastore/path.',
    );
  }
  return { datastore, folder };
}

function checkBaseImageSize(text: string | undefined): number {
  const bytes = text === undefined ? DEFAULT_BASE_IMAGE_BYTES : parseSize(text, '--base-image-size');
  if (bytes < MIN_BASE_IMAGE_BYTES) throw invalidOption('--base-image-size must be 64MB or larger.');
  // Disks have whole megabytes, as vSphere makes them.
  return Math.ceil(bytes / 2 ** 20) * 2 ** 20;
}

function checkBridgeRange(options: VchOptions): { readonly range: string; readonly width: number } {
  const range = options.bridgeNetworkRange ?? '172.16.0.0/12';
  const network = parseIpv4Network(range);
  if (network.prefixLength > 16) throw invalidOption('--bridge-network-range must be /16 or larger network.');
  const width = options.bridgeNetworkWidth ?? 16;
  if (width < 1 || width > 30) throw invalidOption('--bridge-network-width: Width must be an integer less than 31.');
  if (width < network.prefixLength) {
    throw invalidOption('--bridge-network-width: Width must be larger than prefix of bridge network ip range.');
  }
  return { range, width };
}

function checkPublicNetwork(options: VchOptions): string {
  const name = options.publicNetwork ?? 'VM Network';
  if (name === options.bridgeNetwork) {
    throw invalidOption(
      'The bridge network must not be shared with another network role.',
      'Give --bridge-network a port group of its own.',
    );
  }
  return name;
}

function checkPublicAddress(options: VchOptions, bridgeRange: string): VchSettings['publicAddress'] {
  const { publicNetworkIp: ip, publicNetworkGateway: gateway } = options;
  if (ip === undefined && gateway === undefined) return undefined;
  if (ip === undefined)
    throw invalidOption('Gateway provided without static IP for public network.', 'Add --public-network-ip.');
  if (gateway === undefined)
    throw invalidOption(
      'public network must have both static IP and gateway specified.',
      'Add --public-network-gateway.',
    );
  const { address, network } = parseIpv4Interface(ip);
  const router = parseIpv4(gateway);
  if (!containsAddress(network, router) || router === address) {
    throw invalidOption(`public gateway with IP ${gateway} is not reachable from ${ip}.`);
  }
  if (networksOverlap(network, parseIpv4Network(bridgeRange))) {
    throw invalidOption(
      `The public network ${ip} overlaps with the bridge network range ${bridgeRange}.`,
      'Give --bridge-network-range a range that is used nowhere else.',
    );
  }
  return { cidr: ip, gateway };
}

function checkDnsServers(servers: readonly string[]): readonly string[] {
  if (servers.length > MAX_DNS_SERVERS) throw invalidOption('Maximum of three DNS servers allowed.');
  const wrong = servers.find((server) => !isIpv4(server));
  if (wrong !== undefined) throw invalidOption(`The DNS server "${wrong.slice(0, 64)}" is not an IPv4 address.`);
  return servers.length === 0 ? DEFAULT_DNS_SERVERS : servers;
}

function checkAllocation(
  option: '--memory' | '--cpu',
  limit: number | undefined,
  reservation: number | undefined,
  shares: string | undefined,
): PoolAllocation {
  const allocation = {
    limit: checkLimit(limit, option),
    reservation: reservation === undefined ? 0 : checkAtLeast(reservation, 0, `${option}-reservation`),
    shares: checkShares(shares ?? 'normal', `${option}-shares`),
  };
  if (allocation.limit !== undefined && allocation.reservation > allocation.limit) {
    throw invalidOption(`${option}-reservation must not be above ${option}.`);
  }
  return allocation;
}

function checkShares(text: string, option: string): PoolAllocation['shares'] {
  if (text === 'low' || text === 'normal' || text === 'high') return text;
  const shares = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (shares >= 1 && shares <= MAX_SHARES) return shares;
  throw invalidOption(`${option} must be low, normal, high or a number from 1 to ${MAX_SHARES}.`);
}

function checkLimit(value: number | undefined, option: string): number | undefined {
  // 0 is the original's word for "no limit".
  return value === undefined || value === 0 ? undefined : checkAtLeast(value, 1, option);
}

function checkAtLeast(value: number, least: number, option: string): number {
  if (value < least) throw invalidOption(`${option} must be ${least} or more.`);
  return value;
}

function checkTlsMode(options: VchOptions): VchTlsMode {
  if (options.noTls) return 'no-tls';
  return options.noTlsVerify ? 'tls-no-verify' : 'tls-verify';
}

function checkRegistry(registry: string): string {
  if (/^[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/\d{1,2})?$/.test(registry)) return registry;
  throw invalidOption(
    `"${registry.slice(0, 100)}" is an invalid format for registry server.`,
    'Write it as host[:port] or a CIDR.',
  );
}

function checkProxy(text: string | undefined, option: string, schemes: readonly string[]): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !schemes.includes(url.protocol)) {
    throw invalidOption(
      `Could not parse ${option}: it must be a URL with scheme ${schemes.join(' or ').replaceAll(':', '')}.`,
    );
  }
  return text;
}

function checkConvention(convention: string): string {
  if (!/\{(?:id|name)\}/.test(convention)) {
    throw invalidOption('Container name convention must include {id} or {name} token.');
  }
  return convention;
}
