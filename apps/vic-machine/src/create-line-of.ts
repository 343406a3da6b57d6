import { readCertificate } from '@vic/pki';
import { networkOf } from '@vic/vch';
import type { VchConfiguration } from '@vic/vch';

/** What gives the same VCH again. */
export interface CreateLine {
  /** Options of `create` in order; flags have an empty value. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** Files that options name and that have to be there first: their content, or where it is. */
  readonly files: readonly ({ readonly name: string } & ({ readonly content: string } | { readonly from: string }))[];
  /** What the options leave out. */
  readonly leftOut: readonly string[];
}

/** The line of `create` that gives a VCH with this configuration. */
export function createLineOf(configuration: VchConfiguration): CreateLine {
  const { registries, tls } = configuration;
  const certificates = tlsOptionsOf(configuration);
  const authorities = [
    ...filesOf('registry-ca', registries.certificateAuthorities),
    ...filesOf('tls-ca', certificates.clientAuthorities),
  ];
  const iso = configuration.bootstrapIso.replace(/^.*\//, '');
  return {
    options: [
      ...plainOptionsOf(configuration),
      ...certificates.options,
      ...authorities.map(({ option, name }) => [option, name] as const),
      ['bootstrap-iso', iso],
    ],
    files: [
      ...authorities.map(({ name, content }) => ({ name, content })),
      { name: iso, from: configuration.bootstrapIso },
    ],
    leftOut: [...(tls.mode === 'no-tls' ? [] : certificates.leftOut), ...LEFT_OUT],
  };
}

const LEFT_OUT = [
  'limits, reservations and shares (--memory, --cpu and theirs), which the resource pool has',
  '--endpoint-cpu and --endpoint-memory, which the endpoint VM has',
  '--target and how to log in there, --compute-resource, --organization, --tls-cert-path and --timeout',
];

/** A file for each authority. */
function filesOf(
  option: string,
  contents: readonly string[],
): readonly { readonly option: string; readonly name: string; readonly content: string }[] {
  return contents.map((content, index) => ({ option, name: `${option}-${index + 1}.pem`, content }));
}

/** Certificates that were made with the VCH are made anew; of those that were given, the key cannot be read back. */
function tlsOptionsOf({ name, tls, networks }: VchConfiguration): {
  readonly options: CreateLine['options'];
  readonly clientAuthorities: readonly string[];
  readonly leftOut: readonly string[];
} {
  const own = `CN=${name} CA`;
  const clientAuthorities = tls.clientCertificateAuthorities.filter((pem) => !subjectOf(pem, 'subject').includes(own));
  if (tls.serverCertificate === undefined) return { options: [], clientAuthorities, leftOut: [] };
  const made = subjectOf(tls.serverCertificate, 'issuer').includes(own);
  const commonName = subjectOf(tls.serverCertificate, 'subject')
    .find((part) => part.startsWith('CN='))
    ?.slice(3);
  const isAddress = networks.some(({ address }) => address.replace(/\/.*$/, '') === commonName);
  return {
    options: made && commonName !== undefined && !isAddress ? [['tls-cname', commonName]] : [],
    clientAuthorities,
    leftOut: made ? [] : ['--tls-server-cert and --tls-server-key, which were given: the key cannot be read back'],
  };
}

function subjectOf(pem: string, which: 'subject' | 'issuer'): readonly string[] {
  return readCertificate(pem, 'the virtual container host')[which].split(', ');
}

function plainOptionsOf(configuration: VchConfiguration): CreateLine['options'] {
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
