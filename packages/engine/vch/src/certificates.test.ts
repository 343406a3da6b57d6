import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CertificateAuthority, certificateCovers } from '@vic/pki';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { checkCertificateDirectory, checkVchOptions, makeCertificates, writeCertificateFiles } from './index.ts';
import type { GivenCertificates, VchOptions } from './index.ts';
import { vchOptions } from './testing/vch-options.ts';

const NONE: GivenCertificates = { server: undefined, clientAuthorities: [], registryAuthorities: [] };
const make = (changes: Partial<VchOptions> = {}, given: Partial<GivenCertificates> = {}) =>
  makeCertificates(checkVchOptions(vchOptions(changes)), { ...NONE, ...given }, new Date());

describe('makeCertificates()', () => {
  it('makes an authority, a server certificate for name and address, and a client certificate', async () => {
    const { tls, serverKey, files } = await make({ tlsCname: '*.example.com' });
    expect(Object.keys(files)).toEqual([
      'ca.pem',
      'ca-key.pem',
      'server-cert.pem',
      'server-key.pem',
      'cert.pem',
      'key.pem',
    ]);
    expect(certificateCovers(tls.serverCertificate ?? '', 'vch.example.com')).toBe(true);
    expect(certificateCovers(tls.serverCertificate ?? '', '10.0.0.10')).toBe(true);
    expect(tls.clientCertificateAuthorities).toEqual([files['ca.pem']]);
    expect(serverKey).toBe(files['server-key.pem']);
  });

  it('makes no client certificate without client verification, and nothing at all without TLS', async () => {
    const noVerify = await make({ noTlsVerify: true });
    expect(noVerify.tls).toMatchObject({ mode: 'tls-no-verify', clientCertificateAuthorities: [] });
    expect(Object.keys(noVerify.files)).not.toContain('cert.pem');
    expect(await make({ noTls: true })).toMatchObject({ tls: { mode: 'no-tls' }, serverKey: undefined, files: {} });
  });

  it('takes certificates that are given, and refuses one that does not cover --tls-cname', async () => {
    const authority = await CertificateAuthority.create({ commonName: 'corporate' });
    const server = await authority.issueServer({ commonName: 'vch.corp' }, ['vch.corp']);
    const ca = authority.credential.certificate;
    const { tls, files } = await make({ tlsCname: 'vch.corp' }, { server, clientAuthorities: [ca] });
    expect(tls).toMatchObject({ serverCertificate: server.certificate, clientCertificateAuthorities: [ca] });
    expect(files).toEqual({});
    await expect(make({ tlsCname: 'other.corp' }, { server })).rejects.toThrow(/does not cover other.corp/);
  });

  it('wants a name when there is no static address', async () => {
    await expect(make({ publicNetworkIp: undefined, publicNetworkGateway: undefined })).rejects.toThrow(
      /provide Common Name for server certificate/,
    );
  });
});

describe('certificate files', () => {
  it('are written with private keys for their owner only, into an empty directory unless forced', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'vch');
    await checkCertificateDirectory(path, false);
    await writeCertificateFiles(path, { 'cert.pem': 'certificate', 'key.pem': 'key' });
    expect(await readFile(join(path, 'cert.pem'), 'utf8')).toBe('certificate');
    expect((await stat(join(path, 'key.pem'))).mode & 0o777).toBe(0o600);
    await writeFile(join(path, 'other'), '');
    await expect(checkCertificateDirectory(path, false)).rejects.toThrow(
      /Specified directory to store certificates is not empty/,
    );
    await checkCertificateDirectory(path, true);
  });
});
