import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '@vic/files';
import type { TlsOptions } from '@vic/http';
import { CertificateAuthority, certificateCovers } from '@vic/pki';
import { type RegistryConfiguration, readSecretFile } from './configuration.ts';

/** How the registry shows who it is. */
export interface RegistryTls {
  readonly server: TlsOptions;
  /** PEM of the registry's own authority, which clients have to trust; absent when certificates were given. */
  readonly authority: string | undefined;
}

/** The certificate to serve with; made, with an authority of its own, when none is configured. */
export async function registryTls(configuration: RegistryConfiguration): Promise<RegistryTls | undefined> {
  const { tls } = configuration;
  if (tls === 'none') return undefined;
  if (tls !== undefined) {
    const [certificate, privateKey] = await Promise.all([
      readSecretFile(tls.certificateFile),
      readSecretFile(tls.privateKeyFile),
    ]);
    return { server: { certificate, privateKey }, authority: undefined };
  }
  return ownCertificate(join(configuration.dataDirectory, 'tls'), hostsOf(configuration));
}

/** The authority is not kept: each certificate has one of its own, and only new names need a new one. */
async function ownCertificate(directory: string, hosts: readonly string[]): Promise<RegistryTls> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = {
    authority: join(directory, 'ca.crt'),
    certificate: join(directory, 'server.crt'),
    privateKey: join(directory, 'server.key'),
  };
  const read = async (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
  const [authority, certificate, privateKey] = await Promise.all([
    read(files.authority),
    read(files.certificate),
    read(files.privateKey),
  ]);
  if (authority !== undefined && certificate !== undefined && privateKey !== undefined) {
    if (hosts.every((host) => certificateCovers(certificate, host))) {
      return { server: { certificate, privateKey }, authority };
    }
  }
  const made = await CertificateAuthority.create({ commonName: `VIC registry on ${hostname()}` });
  const issued = await made.issueServer({ commonName: hosts[0] ?? 'registry' }, hosts);
  await replaceFile(files.privateKey, issued.key, { mode: 0o600, durable: true });
  await replaceFile(files.certificate, issued.certificate, { mode: 0o644, durable: true });
  await replaceFile(files.authority, made.credential.certificate, { mode: 0o644, durable: true });
  return {
    server: { certificate: issued.certificate, privateKey: issued.key },
    authority: made.credential.certificate,
  };
}

/** Every name clients may use. */
function hostsOf({ externalUrl, listen, hosts }: RegistryConfiguration): readonly string[] {
  const { hostname: external } = new URL(externalUrl);
  const listening = isIP(listen.host) !== 0 && !/^(0\.0\.0\.0|::)$/.test(listen.host) ? [listen.host] : [];
  return [...new Set([external.replace(/^\[|\]$/g, ''), ...hosts, ...listening, 'localhost', '127.0.0.1'])];
}
