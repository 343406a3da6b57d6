import type { ConsoleSize, InterfaceSpec, LaunchSpec, ProcessSpec, TmpfsMount } from './launch-spec.ts';
import type { ObjectReader } from './object-reader.ts';
import { protocolError } from './protocol-error.ts';

/** Bounds shared with the tether (guest/agent/src/message.rs); generous next to what Docker's clients send. */
const MAX = {
  items: 4096,
  text: 128 * 1024,
  path: 4096,
  name: 255,
  interfaces: 32,
  hosts: 1024,
  dns: 32,
  limits: 16,
  tmpfs: 64,
} as const;

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const IPV6 = /^[0-9a-fA-F:.]{2,45}$/;
const INTERFACE_NAME = /^[A-Za-z0-9_.-]{1,15}$/;

/** Reads the fields of a launch specification. */
export function readLaunchSpec(reader: ObjectReader): LaunchSpec {
  return {
    time: reader.nanoseconds('time'),
    entropy: reader.hex('entropy', 16, 128),
    hostname: reader.text('hostname', 0, 64),
    domainname: reader.text('domainname', 0, 64),
    interfaces: reader.objects('interfaces', MAX.interfaces, readInterface),
    dns: reader.object('dns', (dns) => ({
      servers: dns.texts('servers', MAX.dns, MAX.name),
      search: dns.texts('search', MAX.dns, MAX.name),
      options: dns.texts('options', MAX.dns, MAX.name),
    })),
    hosts: reader.objects('hosts', MAX.hosts, (host) => ({
      address: host.text('address', 1, 64),
      names: host.texts('names', MAX.dns, MAX.name),
    })),
    process: reader.object('process', readProcessSpec),
    limits: reader.objects('limits', MAX.limits, (limit) => ({
      resource: limit.integer('resource', 0, 15),
      soft: limit.integer('soft', -1, Number.MAX_SAFE_INTEGER),
      hard: limit.integer('hard', -1, Number.MAX_SAFE_INTEGER),
    })),
    readonlyRootfs: reader.boolean('readonlyRootfs'),
    shmSizeBytes: reader.integer('shmSizeBytes', 0, Number.MAX_SAFE_INTEGER),
    tmpfs: reader.objects('tmpfs', MAX.tmpfs, readTmpfs),
  };
}

/** Reads the fields of a process specification. */
export function readProcessSpec(reader: ObjectReader): ProcessSpec {
  const process = {
    args: reader.texts('args', MAX.items, MAX.text),
    env: reader.texts('env', MAX.items, MAX.text),
    cwd: absolutePath(reader, 'cwd'),
    user: reader.text('user', 0, MAX.name),
    groups: reader.texts('groups', MAX.dns, MAX.name),
    tty: reader.boolean('tty'),
    ...(reader.has('consoleSize') ? { consoleSize: reader.object('consoleSize', readConsoleSize) } : {}),
    openStdin: reader.boolean('openStdin'),
  };
  if (process.args.length === 0) throw protocolError('process.args is empty');
  return process;
}

/** Reads the fields of a terminal's size. */
export function readConsoleSize(reader: ObjectReader): ConsoleSize {
  return { rows: reader.integer('rows', 0, 0xffff), cols: reader.integer('cols', 0, 0xffff) };
}

function readInterface(reader: ObjectReader): InterfaceSpec {
  const mac = reader.text('mac', 17, 17);
  const name = reader.text('name', 1, 15);
  const addresses = reader.texts('addresses', MAX.dns, 64);
  if (!MAC.test(mac)) throw protocolError('interfaces.mac is not a MAC address');
  if (!INTERFACE_NAME.test(name) || name === '.' || name === '..')
    throw protocolError('interfaces.name is not an interface name');
  if (!addresses.every(isCidr)) throw protocolError('interfaces.addresses is not in CIDR form');
  const gateway = reader.has('gateway') ? reader.text('gateway', 1, 64) : undefined;
  if (gateway !== undefined && addressBits(gateway) === 0) throw protocolError('interfaces.gateway is not an address');
  return {
    mac,
    setMac: reader.boolean('setMac'),
    name,
    addresses,
    ...(gateway === undefined ? {} : { gateway }),
    ...(reader.has('mtu') ? { mtu: reader.integer('mtu', 68, 65_535) } : {}),
  };
}

function readTmpfs(reader: ObjectReader): TmpfsMount {
  return {
    path: absolutePath(reader, 'path'),
    ...(reader.has('sizeBytes') ? { sizeBytes: reader.integer('sizeBytes', 0, Number.MAX_SAFE_INTEGER) } : {}),
    ...(reader.has('mode') ? { mode: reader.integer('mode', 0, 0o7777) } : {}),
    readonly: reader.boolean('readonly'),
    noexec: reader.boolean('noexec'),
  };
}

function isCidr(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const bits = addressBits(address);
  return bits > 0 && rest.length === 0 && /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits;
}

/** 32 for an IPv4 address, 128 for an IPv6 one without a zone, 0 for anything else. */
function addressBits(text: string): number {
  if (IPV4.test(text)) return 32;
  return IPV6.test(text) && URL.canParse(`http://[${text}]/`) ? 128 : 0;
}

function absolutePath(reader: ObjectReader, name: string): string {
  const path = reader.text(name, 1, MAX.path);
  if (!path.startsWith('/')) throw protocolError(`${name} is not an absolute path`);
  return path;
}
