import { isIPv4 } from 'node:net';
import type { HostConfig } from '@vic/docker-api';
import type { PortBinding } from '@vic/port-layer';
import { invalid, notServed } from '../http/docker-error.ts';

/** The most ports one container may publish; each is a rule of the endpoint's firewall. */
const MAX_BINDINGS = 1024;

/** The bindings a create request asks for: those given, and one for each exposed port when all are published. */
export function portBindingsOf(hostConfig: HostConfig, exposedPorts: Readonly<Record<string, object>>): PortBinding[] {
  const given = Object.entries(hostConfig.PortBindings ?? {});
  const bindings = given.flatMap(([port, wanted]) => {
    const { containerPort, protocol } = parsePort(port);
    return (wanted.length === 0 ? [{}] : wanted).map((one: { HostIp?: string; HostPort?: string }) => ({
      containerPort,
      protocol,
      hostAddress: parseHostAddress(one.HostIp ?? ''),
      hostPort: parseHostPort(one.HostPort ?? ''),
    }));
  });
  const all = hostConfig.PublishAllPorts === true ? [...bindings, ...unpublished(bindings, exposedPorts)] : bindings;
  if (all.length > MAX_BINDINGS) throw invalid(`more than ${MAX_BINDINGS} published ports`);
  return all;
}

/** A port of `ExposedPorts` or `PortBindings`: `80/tcp`, or `80` for TCP. */
export function parsePort(text: string): Pick<PortBinding, 'containerPort' | 'protocol'> {
  const [, number = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/([a-z]+))?$/.exec(text.toLowerCase()) ?? [];
  const containerPort = Number(number);
  if (number === '' || containerPort < 1 || containerPort > 65_535)
    throw invalid(`invalid port specification: "${text.slice(0, 64)}"`);
  if (protocol === 'sctp') throw notServed('SCTP ports', 'publish TCP or UDP ports.');
  if (protocol !== 'tcp' && protocol !== 'udp') throw invalid(`invalid proto: ${protocol.slice(0, 64)}`);
  return { containerPort, protocol };
}

function unpublished(bindings: readonly PortBinding[], exposedPorts: Readonly<Record<string, object>>): PortBinding[] {
  return Object.keys(exposedPorts)
    .map(parsePort)
    .filter(
      (port) => !bindings.some((one) => one.containerPort === port.containerPort && one.protocol === port.protocol),
    )
    .map((port) => ({ ...port, hostAddress: '', hostPort: 0 }));
}

function parseHostPort(text: string): number {
  if (text === '') return 0;
  if (/^\d+-\d+$/.test(text)) throw invalid('host port ranges are not supported for port bindings');
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw invalid(`invalid port specification: "${text.slice(0, 64)}"`);
  return port;
}

function parseHostAddress(text: string): string {
  if (text === '' || isIPv4(text)) return text;
  if (text === '::' || text.includes(':'))
    throw notServed('IPv6 port bindings', 'leave the address out, or give an IPv4 address of the VCH.');
  throw invalid(`invalid host IP "${text.slice(0, 64)}" for a port binding`);
}
