import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { CertificateAuthority } from '@vic/pki';
import { run } from '@vic/process';
import { SecretBox } from '@vic/secrets';
import { temporaryDatabase } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Notary, notaryErrorResponse, notaryRoutes } from './index.ts';

const GUN = 'registry.test/project/image';
const installed = await run('notary', ['version']).then(
  () => true,
  () => false,
);

describe.skipIf(!installed)('notary, the client of the original (apt-get install notary)', () => {
  const resources = new AsyncDisposableStack();
  let notary: (home: string, ...args: string[]) => Promise<string>;
  let nowMs = Date.now();
  let target: string;

  beforeAll(async () => {
    const directory = resources.use(await temporaryDirectory());
    const database = resources.use(await temporaryDatabase());
    const authority = await CertificateAuthority.create({ commonName: 'test' });
    const { certificate, key } = await authority.issueServer({ commonName: 'localhost' }, ['localhost']);
    const server = createHttpServer({
      logger: silentLogger(),
      tls: { certificate, privateKey: key },
      errorResponse: notaryErrorResponse,
    });
    resources.use(server);
    const collections = new Notary({ database, secrets: new SecretBox(randomBytes(32)), now: () => nowMs });
    const access = {
      authorize: async (request: { wanted?: { gun: string } }): Promise<void> => {
        if (request.wanted === undefined || request.wanted.gun.startsWith('registry.test/project/')) return;
        throw new VicError({ class: 'PermissionDenied', code: 'DENIED', message: 'not yours' });
      },
    };
    notaryRoutes({ notary: collections, access })(server.app);
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const caFile = join(directory.path, 'ca.crt');
    await writeFile(caFile, authority.credential.certificate);
    target = join(directory.path, 'target');
    await writeFile(target, 'content');
    const port = 'port' in address ? address.port : 0;
    notary = async (home, ...args) => {
      const trust = join(directory.path, home);
      await mkdir(trust, { recursive: true });
      const { stdout } = await run(
        'notary',
        ['--server', `https://localhost:${port}`, '--tlscacert', caFile, '--trustDir', trust, ...args],
        { env: { ...passphrases, HOME: trust, PATH: process.env['PATH'] ?? '' } },
      );
      return stdout;
    };
  });
  afterAll(async () => resources.disposeAsync());

  it('initializes a collection, publishes targets and lists them', async () => {
    await notary('alice', 'init', '--publish', GUN);
    await notary('alice', 'add', '--publish', GUN, 'v1', target);
    expect(await notary('bob', 'list', GUN)).toContain('v1');
    expect(await notary('bob', 'lookup', GUN, 'v1')).toMatch(/^v1 sha256:[0-9a-f]{64} 7/);
  });

  it('lets the server hold the snapshot key, so that a delegate may publish alone', async () => {
    await notary('alice', 'key', 'rotate', GUN, 'snapshot', '--server-managed');
    await notary('alice', 'add', '--publish', GUN, 'v2', target);
    const keyFile = join(target, '..', 'carol.crt');
    await run('openssl', certificateRequest(target, keyFile));
    await notary('alice', 'delegation', 'add', '--publish', GUN, 'targets/releases', keyFile, '--all-paths');
    await notary('carol', 'key', 'import', join(target, '..', 'carol.key'), '--role', 'targets/releases');
    await notary('carol', 'add', '--publish', GUN, 'v3', target, '--roles', 'targets/releases');
    const list = await notary('bob', 'list', GUN);
    expect(list).toMatch(/v3 .*targets\/releases/);
    expect(list).toContain('v2');
  });

  it('rotates root and timestamp keys', async () => {
    await notary('alice', 'key', 'rotate', GUN, 'timestamp', '--server-managed');
    await notary('alice', 'key', 'rotate', GUN, 'targets');
    expect(await notary('bob', 'list', GUN)).toContain('v2');
  });

  it('refuses whoever publishes against older metadata or without the keys', async () => {
    await notary('alice', 'add', GUN, 'v4', target);
    await expect(notary('bob', 'add', '--publish', GUN, 'v5', target)).rejects.toThrow(
      'could not find necessary signing keys',
    );
    await notary('alice', 'publish', GUN);
    await expect(notary('bob', 'init', '--publish', 'registry.test/other/image')).rejects.toThrow(
      'unable to reach trust server at this time: 403',
    );
    expect(await notary('bob', 'list', GUN)).not.toContain('v5');
  });

  it('signs timestamps anew before they expire', async () => {
    nowMs += 10 * 86_400_000;
    expect(await notary('dave', 'list', GUN)).toContain('v4');
  });

  it('removes targets and whole collections', async () => {
    nowMs = Date.now();
    await notary('alice', 'remove', '--publish', GUN, 'v1');
    expect(await notary('bob', 'list', GUN)).not.toContain('v1');
    await notary('alice', 'delete', '--remote', GUN);
    await expect(notary('erin', 'list', GUN)).rejects.toThrow(/does not have trust data/);
  });
});

const passphrases = {
  NOTARY_ROOT_PASSPHRASE: 'passphrase-of-tests',
  NOTARY_TARGETS_PASSPHRASE: 'passphrase-of-tests',
  NOTARY_SNAPSHOT_PASSPHRASE: 'passphrase-of-tests',
  NOTARY_DELEGATION_PASSPHRASE: 'passphrase-of-tests',
};

function certificateRequest(target: string, certificateFile: string): string[] {
  const keyFile = join(target, '..', 'carol.key');
  const subject = ['-subj', '/CN=carol', '-days', '30', '-nodes', '-keyout', keyFile, '-out', certificateFile];
  return ['req', '-x509', '-newkey', 'rsa:2048', ...subject];
}
