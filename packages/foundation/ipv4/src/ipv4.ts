import { VicError } from '@vic/errors';

/** An IPv4 network: its first address as an unsigned 32-bit number, and the length of its prefix. */
export interface Ipv4Network {
  readonly base: number;
  readonly prefixLength: number;
}

/** An address together with the network it is on, as written `172.16.0.1/12`. */
export interface Ipv4Interface {
  readonly address: number;
  readonly network: Ipv4Network;
}

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;

/** The number of a dotted address; `InvalidArgument` for anything else, leading zeros included. */
export function parseIpv4(text: string): number {
  const octets = text.split('.');
  const valid = octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255);
  if (!valid) throw invalid(`"${text.slice(0, 64)}" is not an IPv4 address.`);
  return octets.reduce((number, octet) => number * 256 + Number(octet), 0);
}

/** Whether the text is a dotted IPv4 address. */
export function isIpv4(text: string): boolean {
  try {
    parseIpv4(text);
    return true;
  } catch {
    return false;
  }
}

/** The dotted form of an address. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Reads `address/prefix`; the host part may be set. */
export function parseIpv4Interface(text: string): Ipv4Interface {
  const slash = text.indexOf('/');
  const prefix = text.slice(slash + 1);
  if (slash === -1 || !/^(?:[0-9]|[12][0-9]|3[0-2])$/.test(prefix)) {
    throw invalid(`"${text.slice(0, 64)}" is not an IPv4 address with a prefix, such as 172.16.0.1/12.`);
  }
  const address = parseIpv4(text.slice(0, slash));
  const prefixLength = Number(prefix);
  return { address, network: { base: address - (address % networkSize(prefixLength)), prefixLength } };
}

/** Reads a network in CIDR form; `InvalidArgument` when bits of the host part are set. */
export function parseIpv4Network(text: string): Ipv4Network {
  const { address, network } = parseIpv4Interface(text);
  if (address !== network.base) {
    throw invalid(`${text} has host bits set; the network is ${formatIpv4Network(network)}.`);
  }
  return network;
}

/** The CIDR form of a network. */
export function formatIpv4Network(network: Ipv4Network): string {
  return `${formatIpv4(network.base)}/${network.prefixLength}`;
}

function networkSize(prefixLength: number): number {
  return 2 ** (32 - prefixLength);
}

/** The network's last address, which is its broadcast address. */
export function lastAddress(network: Ipv4Network): number {
  return network.base + networkSize(network.prefixLength) - 1;
}

/** Whether the address lies in the network. */
export function containsAddress(network: Ipv4Network, address: number): boolean {
  return address >= network.base && address <= lastAddress(network);
}

/** Whether the text is an address of the CIDR range; `false` when either is something else, such as a name. */
export function isInIpv4Range(range: string, text: string): boolean {
  try {
    return containsAddress(parseIpv4Interface(range).network, parseIpv4(text));
  } catch {
    return false;
  }
}

/** Whether two networks have an address in common. */
export function networksOverlap(left: Ipv4Network, right: Ipv4Network): boolean {
  return left.base <= lastAddress(right) && right.base <= lastAddress(left);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'NETWORK_ADDRESS_INVALID', message });
}
