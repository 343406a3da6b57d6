import { parseVchConfiguration } from './parse-configuration.ts';

/** What a network is used for by a VCH. */
export type NetworkRole = 'bridge' | 'public';

/** One NIC of the endpoint VM. */
export interface VchNetwork {
  readonly role: NetworkRole;
  /** Port group the NIC is connected to. */
  readonly portGroup: string;
  /** The NIC's MAC, lower-case and colon separated; how the endpoint finds the interface. */
  readonly mac: string;
  /** The endpoint's own address with its prefix, such as `192.168.254.10/24`. */
  readonly address: string;
  /** Default route; on the public network only. */
  readonly gateway: string | undefined;
}

/** How the Docker API is protected. */
export type VchTlsMode = 'tls-verify' | 'tls-no-verify' | 'no-tls';

/** TLS material of the Docker API server, PEM. */
export interface VchTls {
  readonly mode: VchTlsMode;
  /** Absent with `no-tls`, like the key. */
  readonly serverCertificate: string | undefined;
  /** Certificate authorities whose client certificates are accepted, with `tls-verify`. */
  readonly clientCertificateAuthorities: readonly string[];
}

/** Which registries the VCH pulls from, and how. */
export interface VchRegistries {
  /** `host[:port]` or CIDR, as given to --insecure-registry. */
  readonly insecure: readonly string[];
  /** PEM certificate authorities trusted beside the public ones. */
  readonly certificateAuthorities: readonly string[];
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/** How the endpoint reaches the vSphere API. */
export interface VchVimTarget {
  /** `https://host[:port]/sdk`. */
  readonly url: string;
  /** SHA-1 or SHA-256 thumbprint the server's certificate must have, colon separated. */
  readonly thumbprint: string;
  readonly user: string;
}

/** Secrets, kept apart from the rest so that the configuration can be read back and logged. */
export interface VchSecrets {
  readonly vimPassword: string;
  /** PEM private key of the Docker API server; absent with `no-tls`. */
  readonly serverKey: string | undefined;
  /** 64 hexadecimal digits, random per VCH: the secrets of its container VMs are derived from it. */
  readonly containerKey: string;
}

/** A managed object by type and value, such as `ResourcePool` `pool-12`. */
export interface VchObjectReference {
  readonly type: string;
  readonly value: string;
}

/**
 * Everything an endpoint needs to know about its virtual container host.
 *
 * Written by `vic-machine create` into the endpoint VM's extraConfig (`guestinfo.vch.configuration` as JSON, and
 * one key per secret) and read by the endpoint when it starts.
 */
export interface VchConfiguration {
  /** Format of this document; an endpoint refuses one that is newer than itself. */
  readonly formatVersion: 1;
  /** UUID of the VCH. */
  readonly id: string;
  readonly name: string;
  /** Version of the vic-machine that made it. */
  readonly createdByVersion: string;
  readonly debug: number;
  readonly networks: readonly VchNetwork[];
  /** Range that bridge networks are carved from, such as `172.16.0.0/12`. */
  readonly bridgeRange: string;
  /** Prefix length of each bridge network, 16 by default. */
  readonly bridgeWidth: number;
  readonly dnsServers: readonly string[];
  /** Datastore folder of the VCH, such as `[datastore1] vch1`; images are below it. */
  readonly folder: string;
  /** Datastore folder of the images, such as `[datastore1] vch1/images`. */
  readonly imageStore: string;
  /** Virtual size of the base disk of every image and container. */
  readonly baseImageSizeBytes: number;
  readonly resourcePool: VchObjectReference;
  readonly vmFolder: VchObjectReference;
  /** Datastore path of the ISO that container VMs boot from. */
  readonly bootstrapIso: string;
  readonly containerNameConvention: string;
  /** Shape of containers that ask for none. */
  readonly defaultContainer: { readonly cpus: number; readonly memoryMiB: number };
  readonly registries: VchRegistries;
  readonly tls: VchTls;
  readonly vim: VchVimTarget;
}

/** The extraConfig key of the configuration. */
export const VCH_CONFIGURATION_KEY = 'guestinfo.vch.configuration';

/** The extraConfig key of the vSphere password; write-only because its last component starts with `secret`. */
const VCH_VIM_PASSWORD_KEY = 'guestinfo.vch.secret-vim-password';

/** The extraConfig key of the Docker API server's private key; write-only likewise. */
const VCH_SERVER_KEY_KEY = 'guestinfo.vch.secret-server-key';

/** The extraConfig key of the key that container secrets are derived from; write-only likewise. */
const VCH_CONTAINER_KEY_KEY = 'guestinfo.vch.secret-container-key';

/** The extraConfig of an endpoint VM that carries this configuration. */
export function encodeVchConfiguration(
  configuration: VchConfiguration,
  secrets: VchSecrets,
): Readonly<Record<string, string>> {
  return {
    [VCH_CONFIGURATION_KEY]: JSON.stringify(configuration),
    [VCH_VIM_PASSWORD_KEY]: secrets.vimPassword,
    [VCH_CONTAINER_KEY_KEY]: secrets.containerKey,
    ...(secrets.serverKey === undefined ? {} : { [VCH_SERVER_KEY_KEY]: secrets.serverKey }),
  };
}

/** The configuration in a VM's `guestinfo.*` keys; `undefined` when the VM is no endpoint. */
export function decodeVchConfiguration(guestinfo: Readonly<Record<string, string>>): VchConfiguration | undefined {
  const text = guestinfo[VCH_CONFIGURATION_KEY];
  return text === undefined ? undefined : parseVchConfiguration(text);
}

/** The secrets in the guestinfo that was delivered to the endpoint; they cannot be read back over the API. */
export function decodeVchSecrets(guestinfo: Readonly<Record<string, string>>): VchSecrets {
  return {
    vimPassword: guestinfo[VCH_VIM_PASSWORD_KEY] ?? '',
    serverKey: guestinfo[VCH_SERVER_KEY_KEY],
    containerKey: guestinfo[VCH_CONTAINER_KEY_KEY] ?? '',
  };
}

/** The network with that role; every configuration has exactly one of each. */
export function networkOf(configuration: VchConfiguration, role: NetworkRole): VchNetwork {
  const network = configuration.networks.find((candidate) => candidate.role === role);
  if (network === undefined) throw new TypeError(`a parsed configuration has a ${role} network`);
  return network;
}
