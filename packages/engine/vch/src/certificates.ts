import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CertificateAuthority, assertCredential, certificateCovers } from '@vic/pki';
import type { Credential } from '@vic/pki';
import type { VchTls } from './configuration.ts';
import { invalidOption } from './vch-error.ts';
import type { VchSettings } from './vch-settings.ts';

/** Certificates the user brings. */
export interface GivenCertificates {
  /** PEM certificate and key of the Docker API server. */
  readonly server: Credential | undefined;
  /** PEM authorities of client certificates. */
  readonly clientAuthorities: readonly string[];
  /** PEM authorities of registries. */
  readonly registryAuthorities: readonly string[];
}

/** Everything TLS of a new VCH. */
export interface VchCertificates {
  readonly tls: VchTls;
  readonly serverKey: string | undefined;
  readonly registryAuthorities: readonly string[];
  /** Files for the user, by name; private keys are to be readable by their owner only. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Makes the certificates of a VCH, or takes those given.
 *
 * One authority signs the server's certificate and, with full TLS, a client's; its key is given to the user, who may
 * issue more clients, and kept nowhere else.
 */
export async function makeCertificates(
  settings: VchSettings,
  given: GivenCertificates,
  now: Date,
): Promise<VchCertificates> {
  const mode = settings.tlsMode;
  const { registryAuthorities } = given;
  if (mode === 'no-tls') {
    return {
      tls: { mode, serverCertificate: undefined, clientCertificateAuthorities: [] },
      serverKey: undefined,
      registryAuthorities,
      files: {},
    };
  }
  const authority = needsAuthority(settings, given) ? await newAuthority(settings) : undefined;
  const server = await serverCredential(settings, given, authority, now);
  const issuesClients = mode === 'tls-verify' && authority !== undefined && given.clientAuthorities.length === 0;
  const client = issuesClients
    ? await authority.issueClient({ commonName: `${settings.name} client`, organization: settings.organization })
    : undefined;
  const ca = authority?.credential;
  return {
    tls: {
      mode,
      serverCertificate: server.certificate,
      clientCertificateAuthorities:
        mode === 'tls-verify' ? [...(client && ca ? [ca.certificate] : []), ...given.clientAuthorities] : [],
    },
    serverKey: server.key,
    registryAuthorities,
    files: {
      ...(ca === undefined ? {} : { 'ca.pem': ca.certificate, 'ca-key.pem': ca.key }),
      ...(given.server === undefined ? { 'server-cert.pem': server.certificate, 'server-key.pem': server.key } : {}),
      ...(client === undefined ? {} : { 'cert.pem': client.certificate, 'key.pem': client.key }),
    },
  };
}

/** Refuses a directory that holds something already, unless told to write over it. */
export async function checkCertificateDirectory(directory: string, force: boolean): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  if (entries.length === 0 || force) return;
  throw invalidOption(
    `Specified directory to store certificates is not empty: ${directory}.`,
    'Give another --tls-cert-path, or --force to write over the files in it.',
  );
}

/** Writes the user's files; keys with mode 0600. */
export async function writeCertificateFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), content, { mode: name.includes('key') ? 0o600 : 0o644 });
  }
}

function needsAuthority(settings: VchSettings, given: GivenCertificates): boolean {
  return given.server === undefined || (settings.tlsMode === 'tls-verify' && given.clientAuthorities.length === 0);
}

async function newAuthority(settings: VchSettings): Promise<CertificateAuthority> {
  return CertificateAuthority.create({ commonName: `${settings.name} CA`, organization: settings.organization });
}

async function serverCredential(
  settings: VchSettings,
  given: GivenCertificates,
  authority: CertificateAuthority | undefined,
  now: Date,
): Promise<Credential> {
  const address = settings.publicAddress?.cidr.replace(/\/.*/, '');
  if (given.server !== undefined) {
    assertCredential(given.server.certificate, given.server.key, 'the server (--tls-server-cert)', now);
    if (settings.tlsCname !== undefined && !certificateCovers(given.server.certificate, settings.tlsCname)) {
      throw invalidOption(`The server certificate does not cover ${settings.tlsCname}, which --tls-cname names.`);
    }
    return given.server;
  }
  const hosts = [...new Set([settings.tlsCname, address].filter((host) => host !== undefined))];
  const [commonName] = hosts;
  if (commonName === undefined || authority === undefined) {
    throw invalidOption(
      'provide Common Name for server certificate: without a static address the certificate must name what clients connect to.',
      'Add --tls-cname, or use --no-tlsverify or --no-tls.',
    );
  }
  return authority.issueServer({ commonName, organization: settings.organization }, hosts);
}
