import { isIP } from 'node:net';
import type { HostConfig, NetworkingConfig } from '@vic/docker-api';
import type { NewContainer } from '@vic/port-layer';
import { invalid, notServed } from '../http/docker-error.ts';
import { ENDPOINT_RULES, IPAM_RULES } from './container-config-rules.ts';
import { applyRules } from './option-rule.ts';

/** A container's place in its network, as asked. */
export interface NetworkOptions {
  readonly network: string;
  readonly networkAliases: readonly string[];
  readonly requestedAddress: string | undefined;
}

/** The one network of the request; `default` is the bridge network. Endpoints of other networks are refused. */
export function networkOptionsOf(
  hostConfig: HostConfig,
  networkDisabled: boolean,
  networking: NetworkingConfig,
  warnings: string[],
): NetworkOptions {
  const endpoints = new Map(
    Object.entries(networking.EndpointsConfig ?? {}).map(([name, endpoint]) => [bridgeIfDefault(name), endpoint]),
  );
  const asked = hostConfig.NetworkMode ?? '';
  const [onlyEndpoint] = endpoints.keys();
  const network = networkDisabled ? 'none' : bridgeIfDefault(asked === '' ? (onlyEndpoint ?? '') : asked);
  refuseSharedNetwork(network);
  const others = [...endpoints.keys()].filter((name) => name !== network);
  if (others.length > 0) {
    throw notServed(
      `EndpointsConfig with several networks (${others.join(', ').slice(0, 100)})`,
      'a container VM has one network; give only that one.',
    );
  }
  const endpoint = endpoints.get(network) ?? {};
  warnings.push(...applyRules(endpoint, ENDPOINT_RULES, 'EndpointsConfig.'));
  warnings.push(...applyRules(endpoint.IPAMConfig ?? {}, IPAM_RULES, 'EndpointsConfig.IPAMConfig.'));
  const address = endpoint.IPAMConfig?.IPv4Address ?? '';
  if (address !== '' && isIP(address) !== 4) throw invalid(`invalid IPv4 address: ${address.slice(0, 64)}`);
  return { network, networkAliases: endpoint.Aliases ?? [], requestedAddress: address === '' ? undefined : address };
}

/** Servers, search domains and options of the container's resolver. */
export function dnsOf(hostConfig: HostConfig): NewContainer['dns'] {
  const servers = hostConfig.Dns ?? [];
  for (const server of servers) {
    if (isIP(server) === 0) throw invalid(`bad format for dns: invalid IP address: ${server.slice(0, 64)}`);
  }
  return { servers, search: hostConfig.DnsSearch ?? [], options: hostConfig.DnsOptions ?? [] };
}

/** Lines of the container's hosts file; `host-gateway` is the gateway of its network, the VCH's endpoint. */
export function extraHostsOf(hostConfig: HostConfig, gateway: string | undefined): NewContainer['extraHosts'] {
  return (hostConfig.ExtraHosts ?? []).map((entry) => {
    const [, name = '', address = ''] = /^([^:=]+)[:=](.+)$/.exec(entry) ?? [];
    const resolved = address === 'host-gateway' ? (gateway ?? '') : address.replace(/^\[(.*)\]$/, '$1');
    if (name === '' || isIP(resolved) === 0) throw invalid(`invalid IP address in add-host: "${entry.slice(0, 128)}"`);
    return { address: resolved, name };
  });
}

function bridgeIfDefault(name: string): string {
  return name === '' || name === 'default' ? 'bridge' : name;
}

function refuseSharedNetwork(network: string): void {
  if (network === 'host') throw notServed('NetworkMode "host"', 'publish ports with -p, or use a container network.');
  if (network.startsWith('container:')) {
    throw notServed(
      'NetworkMode "container:…"',
      'container VMs cannot share a network stack; put both in one network.',
    );
  }
}
