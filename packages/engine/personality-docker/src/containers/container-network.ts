import type { EndpointAnswer, PortMap, PortSummary } from '@vic/docker-api';
import { shortId } from '@vic/ids';
import type { Container, PortBinding } from '@vic/port-layer';
import { recordOf } from './container-record.ts';

/** The endpoints of a container by network name; empty values while it does not run, as Docker shows them. */
export function networksOf(container: Container): Readonly<Record<string, EndpointAnswer>> {
  const { endpoint, config } = container;
  const running = container.state.status === 'running';
  const name = endpoint?.network ?? config.network ?? 'bridge';
  const aliases = endpoint?.aliases ?? config.networkAliases;
  const attached = running ? endpoint : undefined;
  return {
    [name]: {
      IPAMConfig: config.requestedAddress === undefined ? null : { IPv4Address: config.requestedAddress },
      Links: null,
      Aliases: aliases.length === 0 ? null : aliases,
      MacAddress: attached?.mac ?? '',
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: endpoint?.networkId ?? '',
      EndpointID: endpointIdOf(container),
      Gateway: attached?.gateway ?? '',
      IPAddress: attached?.address ?? '',
      IPPrefixLen: attached?.prefixLength ?? 0,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames:
        name === 'bridge' || name === 'none' ? null : [...new Set([config.name, ...aliases, shortId(config.id)])],
    },
  };
}

/** A container has one endpoint, so its id is derived from the container's; empty while it is not attached. */
export function endpointIdOf(container: Container): string {
  const { endpoint, config, state } = container;
  return state.status === 'running' && endpoint !== undefined ? [...config.id].reverse().join('') : '';
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
