import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TLSSocket, connect, createServer } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  CertificateAuthority,
  type Credential,
  assertCredential,
  certificateCovers,
  readCertificate,
} from './index.ts';

let authority: CertificateAuthority;
let server: Credential;
let client: Credential;
beforeAll(async () => {
  authority = await CertificateAuthority.create({ commonName: 'VCH CA', organization: 'vch1' });
  server = await authority.issueServer({ commonName: 'vch1' }, ['127.0.0.1', '*.example.com']);
  client = await authority.issueClient({ commonName: 'developer' });
});

describe('CertificateAuthority', () => {
  it('issues certificates that TLS verifies in both directions', async () => {
    const ca = authority.credential.certificate;
    const listener = createServer({ cert: server.certificate, key: server.key, ca, requestCert: true }, (socket) =>
      socket.end(String(socket.getPeerCertificate().subject.CN)),
    ).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port: (listener.address() as AddressInfo).port,
      ca,
      cert: client.certificate,
      key: client.key,
    });
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    expect(greeting.toString()).toBe('developer');
    expect(socket.authorized).toBe(true);
    socket.destroy();
    listener.close();
  });

  it('issues server certificates for names, wildcards and addresses', () => {
    expect(certificateCovers(server.certificate, '127.0.0.1')).toBe(true);
    expect(certificateCovers(server.certificate, 'vch.example.com')).toBe(true);
    expect(certificateCovers(server.certificate, 'other.org')).toBe(false);
  });
});

describe('reading certificates', () => {
  it('readCertificate() gives subject and thumbprints', () => {
    const summary = readCertificate(authority.credential.certificate, 'the CA');
    expect(summary.subject).toBe('O=vch1, CN=VCH CA');
    expect(summary.thumbprint).toMatch(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    expect(summary.thumbprint256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  it('assertCredential() refuses what is not a pair, not PEM, or expired', () => {
    const now = new Date();
    expect(() => assertCredential(server.certificate, server.key, 'the server', now)).not.toThrow();
    expect(() => assertCredential(server.certificate, client.key, 'the server', now)).toThrow(/does not belong/);
    expect(() => assertCredential('nonsense', server.key, 'the server', now)).toThrow(/not a PEM certificate/);
    expect(() => assertCredential(server.certificate, 'nonsense', 'the server', now)).toThrow(/cannot be read/);
    expect(() => assertCredential(server.certificate, server.key, 'the server', new Date('2100-01-01'))).toThrow(
      /expired/,
    );
  });
});
