import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { request } from 'node:https';
import { join } from 'node:path';
import { silentLogger } from '@vic/log';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { clientCertificate, createHttpServer } from './index.ts';

interface Pair {
  readonly certificate: string;
  readonly privateKey: string;
}

async function selfSigned(directory: string, name: string): Promise<Pair> {
  const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
  ];
  await run('openssl', [
    ...args,
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-days',
    '1',
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  return { certificate: await readFile(certificate, 'utf8'), privateKey: await readFile(key, 'utf8') };
}

async function get(port: number, options: object): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const req = request({ host: '127.0.0.1', port, path: '/who', agent: false, ...options }, (response) => {
    resolve(Array.fromAsync(response).then((chunks) => chunks.join('')));
  });
  req.on('error', reject).end();
  return promise;
}

describe('createHttpServer() with TLS', () => {
  it('asks for client certificates, verifies them, and refuses TLS 1.1', async () => {
    await using directory = await temporaryDirectory();
    const [server, client, stranger] = [
      await selfSigned(directory.path, 'server'),
      await selfSigned(directory.path, 'client'),
      await selfSigned(directory.path, 'stranger'),
    ];
    await using http = createHttpServer({
      logger: silentLogger(),
      tls: { ...server, clientAuthorities: client.certificate },
    });
    http.app.get('/who', async (req) => clientCertificate(req)?.subject ?? 'nobody');
    const address = await http.listen({ host: '127.0.0.1', port: 0 });
    if (!('port' in address)) throw new Error('no port');
    const ca = server.certificate;
    expect(await get(address.port, { ca, cert: client.certificate, key: client.privateKey })).toBe('CN=client');
    await expect(get(address.port, { ca })).rejects.toThrow(/./);
    await expect(get(address.port, { ca, cert: stranger.certificate, key: stranger.privateKey })).rejects.toThrow(/./);
    const old = { ca, cert: client.certificate, key: client.privateKey, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' };
    await expect(get(address.port, old)).rejects.toThrow(/./);
  });

  it('close() does not wait for connections that ask for nothing', async () => {
    await using directory = await temporaryDirectory();
    const server = await selfSigned(directory.path, 'server');
    await using http = createHttpServer({ logger: silentLogger(), tls: server });
    const address = await http.listen({ host: '127.0.0.1', port: 0 });
    if (!('port' in address)) throw new Error('no port');
    const beforeHandshake = connect(address.port, '127.0.0.1');
    await once(beforeHandshake, 'connect');
    const afterHandshake = connectTls({ host: '127.0.0.1', port: address.port, ca: server.certificate });
    await once(afterHandshake, 'secureConnect');
    const gone = [beforeHandshake, afterHandshake].map(
      async (socket) => new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve)),
    );
    await http.close(3600_000);
    await Promise.all(gone);
  });
});
