import { networkOf } from '@vic/vch';
import type { VchConfiguration } from '@vic/vch';

/** The options of `create` that give a VCH with this configuration, in order; flags have an empty value. */
export function createOptionsOf(configuration: VchConfiguration): readonly (readonly [name: string, value: string])[] {
  const publicNetwork = networkOf(configuration, 'public');
  const { registries, tls } = configuration;
  const optional = (name: string, value: string | undefined): [string, string][] =>
    value === undefined ? [] : [[name, value]];
  return [
    ['name', configuration.name],
    ['image-store', imageStoreOf(configuration)],
    ['base-image-size', `${configuration.baseImageSizeBytes / 2 ** 20}MB`],
    ['bridge-network', networkOf(configuration, 'bridge').portGroup],
    ['bridge-network-range', configuration.bridgeRange],
    ['bridge-network-width', String(configuration.bridgeWidth)],
    ['public-network', publicNetwork.portGroup],
    ['public-network-ip', publicNetwork.address],
    ...optional('public-network-gateway', publicNetwork.gateway),
    ...configuration.dnsServers.map((server): [string, string] => ['dns-server', server]),
    ...(tls.mode === 'no-tls' ? optional('no-tls', '') : []),
    ...(tls.mode === 'tls-no-verify' ? optional('no-tlsverify', '') : []),
    ...registries.insecure.map((registry): [string, string] => ['insecure-registry', registry]),
    ...optional('http-proxy', registries.httpProxy),
    ...optional('https-proxy', registries.httpsProxy),
    ...optional('no-proxy', registries.noProxy),
    ['container-name-convention', configuration.containerNameConvention],
    ...(configuration.debug === 0 ? [] : optional('debug', String(configuration.debug))),
  ];
}

/** The folder the VCH's own folder is in. */
function imageStoreOf(configuration: VchConfiguration): string {
  return configuration.folder
    .replace(/\/?VIC\/[^/]*$/, '')
    .replace(/^\[(.*?)\] ?/, '$1/')
    .replace(/\/$/, '');
}
