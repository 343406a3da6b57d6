import { VicError } from '@vic/errors';
import type { VchConfiguration, VchNetwork, VchObjectReference } from './configuration.ts';

/** A configuration has a handful of certificates at most; anything larger is not one. */
const MAX_CONFIGURATION_CHARACTERS = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** Reads a configuration that `encodeVchConfiguration` wrote; `DataLoss` naming the field that is wrong. */
export function parseVchConfiguration(text: string): VchConfiguration {
  if (text.length > MAX_CONFIGURATION_CHARACTERS) throw malformed('it is too large');
  const root = objectOf(parseJson(text), 'configuration');
  if (root['formatVersion'] !== 1) throw newerFormat(root['formatVersion']);
  return {
    formatVersion: 1,
    id: stringOf(root, 'id'),
    name: stringOf(root, 'name'),
    createdByVersion: stringOf(root, 'createdByVersion'),
    debug: integerOf(root, 'debug'),
    networks: networksOf(root),
    bridgeRange: stringOf(root, 'bridgeRange'),
    bridgeWidth: integerOf(root, 'bridgeWidth'),
    dnsServers: stringsOf(root, 'dnsServers'),
    folder: stringOf(root, 'folder'),
    imageStore: stringOf(root, 'imageStore'),
    baseImageSizeBytes: integerOf(root, 'baseImageSizeBytes'),
    resourcePool: referenceOf(root, 'resourcePool'),
    vmFolder: referenceOf(root, 'vmFolder'),
    bootstrapIso: stringOf(root, 'bootstrapIso'),
    containerNameConvention: stringOf(root, 'containerNameConvention'),
    defaultContainer: defaultContainerOf(root),
    registries: registriesOf(root),
    tls: tlsOf(root),
    vim: vimOf(root),
  };
}

function networksOf(root: Fields): readonly VchNetwork[] {
  const networks = arrayOf(root, 'networks').map((entry): VchNetwork => {
    const fields = objectOf(entry, 'networks');
    return {
      role: oneOf(fields, 'role', ['bridge', 'public']),
      portGroup: stringOf(fields, 'portGroup'),
      mac: stringOf(fields, 'mac'),
      address: stringOf(fields, 'address'),
      gateway: optionalStringOf(fields, 'gateway'),
    };
  });
  const roles = networks.map((network) => network.role).toSorted();
  if (roles.join() !== 'bridge,public') throw malformed('it must have one bridge and one public network');
  return networks;
}

function defaultContainerOf(root: Fields): VchConfiguration['defaultContainer'] {
  const fields = objectOf(root['defaultContainer'], 'defaultContainer');
  return { cpus: integerOf(fields, 'cpus'), memoryMiB: integerOf(fields, 'memoryMiB') };
}

function registriesOf(root: Fields): VchConfiguration['registries'] {
  const fields = objectOf(root['registries'], 'registries');
  return {
    insecure: stringsOf(fields, 'insecure'),
    certificateAuthorities: stringsOf(fields, 'certificateAuthorities'),
    httpProxy: optionalStringOf(fields, 'httpProxy'),
    httpsProxy: optionalStringOf(fields, 'httpsProxy'),
    noProxy: optionalStringOf(fields, 'noProxy'),
  };
}

function tlsOf(root: Fields): VchConfiguration['tls'] {
  const fields = objectOf(root['tls'], 'tls');
  return {
    mode: oneOf(fields, 'mode', ['tls-verify', 'tls-no-verify', 'no-tls']),
    serverCertificate: optionalStringOf(fields, 'serverCertificate'),
    clientCertificateAuthorities: stringsOf(fields, 'clientCertificateAuthorities'),
  };
}

function vimOf(root: Fields): VchConfiguration['vim'] {
  const fields = objectOf(root['vim'], 'vim');
  return { url: stringOf(fields, 'url'), thumbprint: stringOf(fields, 'thumbprint'), user: stringOf(fields, 'user') };
}

function referenceOf(fields: Fields, name: string): VchObjectReference {
  const reference = objectOf(fields[name], name);
  return { type: stringOf(reference, 'type'), value: stringOf(reference, 'value') };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed('it is not JSON', cause);
  }
}

function objectOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`"${name}" is not an object`);
  return Object.fromEntries(Object.entries(value));
}

function arrayOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw malformed(`"${name}" is not a list`);
  return value;
}

function stringOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw malformed(`"${name}" is not a string`);
  return value;
}

function optionalStringOf(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined ? undefined : stringOf(fields, name);
}

function stringsOf(fields: Fields, name: string): readonly string[] {
  return arrayOf(fields, name).map((value) => {
    if (typeof value !== 'string') throw malformed(`"${name}" holds something that is not a string`);
    return value;
  });
}

function integerOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(`"${name}" is not a whole number`);
  }
  return value;
}

function oneOf<const T extends string>(fields: Fields, name: string, values: readonly T[]): T {
  const found = values.find((value) => value === fields[name]);
  if (found === undefined) throw malformed(`"${name}" is not one of ${values.join(', ')}`);
  return found;
}

function malformed(reason: string, cause?: unknown): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'VCH_CONFIGURATION_INVALID',
    message: `The configuration of the virtual container host cannot be read: ${reason}.`,
    cause,
  });
}

function newerFormat(version: unknown): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'VCH_CONFIGURATION_NEWER',
    message: `The virtual container host's configuration has format ${String(version)}; this program reads format 1.`,
    remedy: 'Use the version of the program that created the virtual container host.',
  });
}
