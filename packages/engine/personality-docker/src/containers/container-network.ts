import type { EndpointAnswer, PortMap, PortSummary } from '@vic/docker-api';
import { shortId } from '@vic/ids';
import type { Container, PortBinding } from '@vic/port-layer';
import { recordOf } from './container-record.ts';

/** The endpoints of a container by network name; empty values while it does not run, as Docker shows them. */
export function networksOf(container: Container): Readonly<Record<string, EndpointAnswer>> {
  const { endpoint, config } = container;
  const name = endpoint?.network ?? config.network ?? 'bridge';
  const aliases = endpoint?.aliases ?? config.networkAliases;
  const isBuiltIn = name === 'bridge' || name === 'none';
  return {
    [name]: {
      IPAMConfig: config.requestedAddress === undefined ? null : { IPv4Address: config.requestedAddress },
      Links: null,
      Aliases: aliases.length === 0 ? null : aliases,
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: endpoint?.networkId ?? '',
      EndpointID: endpointIdOf(container),
      ...addressesOf(container),
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames: isBuiltIn ? null : [...new Set([config.name, ...aliases, shortId(config.id)])],
    },
  };
}

function addressesOf({
  endpoint,
  state,
}: Container): Pick<EndpointAnswer, 'MacAddress' | 'Gateway' | 'IPAddress' | 'IPPrefixLen'> {
  if (endpoint === undefined || state.status !== 'running')
    return { MacAddress: '', Gateway: '', IPAddress: '', IPPrefixLen: 0 };
  return {
    MacAddress: endpoint.mac,
    Gateway: endpoint.gateway,
    IPAddress: endpoint.address,
    IPPrefixLen: endpoint.prefixLength,
  };
}

/** A container has one endpoint, so its id is derived from the container's; empty while it is not attached. */
export function endpointIdOf(container: Container): string {
  const { endpoint, config, state } = container;
  return state.status === 'running' && endpoint !== undefined ? config.id.split('').reverse().join('') : '';
}

/** `NetworkSettings.Ports`: bindings in force, and `null` for what is only exposed. Empty while it does not run. */
export function portMapOf(container: Container): PortMap {
  if (container.state.status !== 'running') return {};
  const exposed = Object.keys(recordOf(container).config.ExposedPorts ?? {}).map((port): [string, null] => [
    portKey(port),
    null,
  ]);
  const published = Object.groupBy(container.publishedPorts, (port) => `${port.containerPort}/${port.protocol}`);
  const bound = Object.entries(published).map(([key, ports]): [string, { HostIp: string; HostPort: string }[]] => [
    key,
    (ports ?? []).map((port) => ({ HostIp: addressOf(port), HostPort: String(port.hostPort) })),
  ]);
  return Object.fromEntries([...exposed, ...bound]);
}

/** Ports of a container list. */
export function portSummariesOf(container: Container): PortSummary[] {
  return Object.entries(portMapOf(container)).flatMap(([key, bindings]): PortSummary[] => {
    const [port = '', type = 'tcp'] = key.split('/');
    const common = { PrivatePort: Number(port), Type: type };
    if (bindings === null) return [common];
    return bindings.map((one) => ({
      IP: one.HostIp,
      PrivatePort: common.PrivatePort,
      PublicPort: Number(one.HostPort),
      Type: type,
    }));
  });
}

function portKey(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

function addressOf(port: PortBinding): string {
  return port.hostAddress === '' ? '0.0.0.0' : port.hostAddress;
}
