import { chmod, cp, mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '@vic/async';
import { FakeS3 } from '@vic/blob/testing';
import { openDatabase, sql } from '@vic/sql';
import { PostgresServer, postgresUnavailable } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { readRegistryConfiguration } from '../../apps/registry/src/configuration.ts';
import { BenchBlob, RegistryBenchClient, UnexpectedAnswer, createProject } from '../perf/registry-client.ts';
import { type ServerProcess, startOurs } from '../perf/registry-servers.ts';
import { registry } from './command-line.ts';
import { basic, openPlainSite, plainConfiguration } from './plain-site.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const TIMEOUT_MS = 15 * 60_000;

describe('backup', { timeout: TIMEOUT_MS }, () => {
  it('taken beside pushes, deletions and collections is whole: restored, it has all that was acknowledged', async () => {
    await using directory = await temporaryDirectory();
    const [to, data, restored] = ['backups', 'data', 'restored'].map((name) => join(directory.path, name));
    if (to === undefined || data === undefined || restored === undefined) throw new Error('unreachable');
    await using server = await startOurs(directory.path);
    await createProject(server, 'busy');
    using client = new RegistryBenchClient(server, 'busy/app');
    const acknowledged = await mapLimit(numbers(20), 4, async (number) => pushImage(client, `before-${number}`));
    const robot = await makeRobot(server);
    const stopping = new AbortController();
    const backUpTwice = async () => {
      const first = await registry('backup', '--data', data, '--to', to, '--json');
      const second = await registry('backup', '--data', data, '--to', to, '--json');
      stopping.abort();
      return [first, second] as const;
    };
    const [[first, second], pushed] = await Promise.all([
      backUpTwice(),
      pushOn(client, stopping.signal),
      deleteAndCollect(server, { client, data, signal: stopping.signal }),
    ]);
    expect(first).toMatchObject({ status: 0, error: '' });
    expect(second).toMatchObject({ status: 0, error: '' });
    const [before, after] = [first, second].map((outcome) => outcome.json<{ count: number; copied: number }>());
    expect(before?.copied).toBeGreaterThanOrEqual(acknowledged.length);
    expect(after?.copied).toBeLessThan(after?.count ?? 0);
    expect(pushed).toBeGreaterThan(0);
    await expectPrivate(to);
    await server.kill();
    const outcome = await registry('restore', '--from', to, '--data', restored);
    expect(outcome).toMatchObject({ status: 0, error: '' });
    expect(await registry('scrub', '--data', restored)).toMatchObject({ status: 0, error: '' });
    await using site = await openPlainSite(plainConfiguration(restored), server.administrator);
    expect((await site.call('GET', '/users/current')).status).toBe(200);
    const asRobot = { authorization: basic(robot.name, robot.secret) };
    expect((await fetch(`${site.url}/service/token?service=harbor-registry`, { headers: asRobot })).status).toBe(200);
    for (const { tag, digest } of acknowledged) {
      const artifact = await site.call('GET', `/projects/busy/repositories/app/artifacts/${tag}`);
      expect(artifact.status).toBe(200);
      const token = await tokenFor(site.url, site.password);
      const blob = await fetch(`${site.url}/v2/busy/app/blobs/${digest}`, { headers: { authorization: token } });
      expect((await blob.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
  });

  it.skipIf(postgresUnavailable() !== undefined)('of PostgreSQL is restored to SQLite and to PostgreSQL', async () => {
    await using directory = await temporaryDirectory();
    await using postgres = await PostgresServer.start();
    await using source = await postgres.temporaryDatabase();
    await using target = await postgres.temporaryDatabase();
    if (source.location.kind !== 'postgres' || target.location.kind !== 'postgres') throw new Error('unreachable');
    await using server = await startOurs(directory.path, { databaseUrl: source.location.url });
    await createProject(server, 'busy');
    using client = new RegistryBenchClient(server, 'busy/app');
    const { tag } = await pushImage(client, 'one');
    const to = join(directory.path, 'backups');
    const config = join(directory.path, 'registry.yaml');
    expect(await registry('backup', '--config', config, '--to', to)).toMatchObject({ status: 0, error: '' });
    await server.kill();
    const other = join(directory.path, 'other.yaml');
    const otherData = join(directory.path, 'other');
    const settings = JSON.parse(await readFile(config, 'utf8')) as object;
    const database = { url: target.location.url };
    await writeFile(other, JSON.stringify({ ...settings, dataDirectory: otherData, database }));
    const plain = join(directory.path, 'plain');
    expect(await registry('restore', '--from', to, '--config', other)).toMatchObject({ status: 0, error: '' });
    expect(await registry('restore', '--from', to, '--data', plain)).toMatchObject({ status: 0, error: '' });
    expect(await readdir(join(plain, 'configuration'))).toEqual(['registry.yaml']);
    for (const configuration of [plainConfiguration(plain), plainConfiguration(otherData, { database })]) {
      await using site = await openPlainSite(configuration, server.administrator);
      expect((await site.call('GET', `/projects/busy/repositories/app/artifacts/${tag}`)).status).toBe(200);
    }
    await rm(otherData, { recursive: true });
    const again = await registry('restore', '--from', to, '--config', other);
    expect(again).toMatchObject({ status: 1, error: expect.stringContaining('its database has users') as string });
  });
});

it('a backup of blobs in S3 is restored to files, and to another bucket', { timeout: TIMEOUT_MS }, async () => {
  await using directory = await temporaryDirectory();
  await using source = await FakeS3.start();
  await using target = await FakeS3.start();
  const secretFile = join(directory.path, 's3-secret');
  await writeFile(secretFile, FakeS3.credentials.secretAccessKey);
  const fileOf = async (name: string, { endpoint }: FakeS3): Promise<string> => {
    const path = join(directory.path, `${name}.yaml`);
    const s3 = { bucket: FakeS3.bucket, endpoint, accessKeyId: FakeS3.credentials.accessKeyId };
    const listen = { host: '127.0.0.1', port: 0 };
    const settings = { externalUrl: 'http://registry.example', dataDirectory: name, listen, tls: 'none' };
    await writeFile(path, JSON.stringify({ ...settings, s3: { ...s3, secretAccessKeyFile: 's3-secret' } }));
    return path;
  };
  const [from, other] = [await fileOf('from', source), await fileOf('other', target)];
  let [password, image] = ['', { tag: '', digest: '' }];
  {
    await using site = await openPlainSite(await readRegistryConfiguration(from));
    password = site.password;
    await site.call('POST', '/projects', { project_name: 'busy' });
    const server = { url: site.url, pid: 0, administrator: { name: 'admin', password } };
    const end = async (): Promise<void> => undefined;
    using client = new RegistryBenchClient({ ...server, kill: end, [Symbol.asyncDispose]: end }, 'busy/app');
    image = await pushImage(client, 'one');
  }
  const to = join(directory.path, 'backups');
  expect(await registry('backup', '--config', from, '--to', to)).toMatchObject({ status: 0, error: '' });
  const plain = join(directory.path, 'plain');
  expect(await registry('restore', '--from', to, '--data', plain)).toMatchObject({ status: 0, error: '' });
  expect(await registry('restore', '--from', to, '--config', other)).toMatchObject({ status: 0, error: '' });
  for (const configuration of [plainConfiguration(plain), await readRegistryConfiguration(other)]) {
    await using site = await openPlainSite(configuration, { password });
    const headers = { authorization: await tokenFor(site.url, password) };
    const blob = await fetch(`${site.url}/v2/busy/app/blobs/${image.digest}`, { headers });
    expect((await blob.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
});

describe('restore', { timeout: TIMEOUT_MS }, () => {
  it('refuses what is not empty, of a newer release or damaged, says what it is, and leaves nothing behind', async () => {
    await using directory = await temporaryDirectory();
    const [to, data, target] = ['backups', 'data', 'target'].map((name) => join(directory.path, name));
    if (to === undefined || data === undefined || target === undefined) throw new Error('unreachable');
    const hex = await installWithBlob(directory.path);
    expect((await registry('backup', '--data', data, '--to', to)).status).toBe(0);
    const refused = async (from: string): Promise<string> => {
      const { status, error } = await registry('restore', '--from', from, '--data', target);
      expect(status).toBe(1);
      return error;
    };
    const [name = ''] = (await readdir(to)).filter((entry) => entry !== 'content');
    const blob = join('content/blobs/sha256', hex.slice(0, 2), hex);
    const cases: readonly [string, (copy: string) => Promise<void>, string][] = [
      [
        'a flipped bit in the database',
        async (copy) => flip(join(copy, name, 'registry.db')),
        'registry.db is not what',
      ],
      ['a key that is gone', async (copy) => rm(join(copy, name, 'secret.key')), 'secret.key is missing'],
      ['a blob that is gone', async (copy) => rm(join(copy, blob)), `sha256:${hex} is missing`],
      ['a flipped bit in a blob', async (copy) => flip(join(copy, blob)), `sha256:${hex} is not what`],
      [
        'a changed manifest',
        async (copy) => flip(join(copy, name, 'manifest.json'), '"version": "', 'X'),
        'was changed',
      ],
      ['no backup', async (copy) => rm(join(copy, name), { recursive: true }), 'no backup in'],
    ];
    for (const [what, damage, message] of cases) {
      const copy = join(directory.path, 'copy');
      await cp(to, copy, { recursive: true });
      await damage(copy);
      expect([what, await refused(copy)]).toEqual([what, expect.stringContaining(message)]);
      expect([what, await readdir(target).catch(() => [])]).toEqual([what, []]);
      await rm(copy, { recursive: true });
    }
    await mkdir(target, { recursive: true });
    await writeFile(join(target, 'precious'), '');
    expect(await refused(to)).toContain('target has precious');
    expect(await readdir(target)).toEqual(['precious']);
    await rm(target, { recursive: true });
    await changeDatabase(data, `insert into schema_migration values ('9999-future', '', 0)`);
    const newer = join(directory.path, 'newer');
    expect((await registry('backup', '--data', data, '--to', newer)).status).toBe(0);
    expect(await refused(newer)).toContain('"9999-future"');
    expect(await refused(join(directory.path, 'nowhere'))).toContain('no backup in');
    expect((await registry('restore', '--from', join(to, name), '--data', target)).status).toBe(0);
  });

  it('backup says which blobs the registry has lost, and is restored without them', async () => {
    await using directory = await temporaryDirectory();
    const [to, data, target] = ['backups', 'data', 'target'].map((name) => join(directory.path, name));
    if (to === undefined || data === undefined || target === undefined) throw new Error('unreachable');
    const hex = await installWithBlob(directory.path);
    const other = join(data, 'blobs/blobs/sha256', hex.slice(0, 2), hex);
    await chmod(other, 0o600);
    await flip(other);
    const outcome = await registry('backup', '--data', data, '--to', to);
    expect(outcome).toMatchObject({ status: 1, error: expect.stringContaining('lacks 1 blobs') as string });
    expect(outcome.out).toContain(`sha256:${hex} is missing or damaged`);
    const restored = await registry('restore', '--from', to, '--data', target);
    expect(restored).toMatchObject({ status: 0, out: expect.stringContaining(`sha256:${hex} was missing`) as string });
  });

  it('backup refuses a directory without a registry, and a target that is a file', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    const nowhere = join(directory.path, 'nowhere');
    expect((await registry('backup', '--data', nowhere, '--to', file)).error).toContain('There is no registry in');
    {
      await using _site = await openPlainSite(plainConfiguration(join(directory.path, 'data')));
    }
    const refused = await registry('backup', '--data', join(directory.path, 'data'), '--to', file);
    expect(refused).toMatchObject({ status: 1, error: expect.stringContaining('Nothing can be written') as string });
    expect((await registry('backup', '--data', nowhere)).error).toContain('--to is missing');
  });
});

interface Pushed {
  readonly tag: string;
  readonly digest: string;
}

async function pushImage(client: RegistryBenchClient, tag: string): Promise<Pushed> {
  const blob = new BenchBlob(20_000 + Math.floor(Math.random() * 100_000));
  await client.push(blob);
  const config = { mediaType: 'application/vnd.example.config', digest: blob.digest, size: blob.sizeBytes };
  await client.putManifest(tag, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }, OCI_MANIFEST);
  return { tag, digest: blob.digest };
}

async function pushOn(client: RegistryBenchClient, signal: AbortSignal): Promise<number> {
  let count = 0;
  while (!signal.aborted) await pushThroughCollections(client, `during-${count++}`);
  return count;
}

/** A collection that spares nothing young takes a blob whose manifest is still to come: then it is pushed again. */
async function pushThroughCollections(client: RegistryBenchClient, tag: string): Promise<void> {
  for (;;) {
    const answer = await pushImage(client, tag).catch((error: unknown) => error);
    if (!(answer instanceof Error)) return;
    const isCollected = answer instanceof UnexpectedAnswer && (answer.status === 400 || answer.status === 503);
    if (!isCollected) throw answer;
  }
}

/** What a backup is most in danger of: content that goes while it is copied. */
async function deleteAndCollect(
  server: ServerProcess,
  parts: { readonly client: RegistryBenchClient; readonly data: string; readonly signal: AbortSignal },
): Promise<void> {
  const { name, password } = server.administrator ?? { name: '', password: '' };
  for (let count = 0; !parts.signal.aborted; count++) {
    await pushThroughCollections(parts.client, `doomed-${count}`);
    const url = `${server.url}/api/v2.0/projects/busy/repositories/app/artifacts/doomed-${count}`;
    await fetch(url, { method: 'DELETE', headers: { authorization: basic(name, password) } });
    if (count % 5 === 4) await registry('gc', '--data', parts.data, '--older-than', '0');
  }
}

async function makeRobot(server: ServerProcess): Promise<{ readonly name: string; readonly secret: string }> {
  const { name, password } = server.administrator ?? { name: '', password: '' };
  const answer = await fetch(`${server.url}/api/v2.0/robots`, {
    method: 'POST',
    headers: { authorization: basic(name, password), 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'ci',
      level: 'project',
      duration: -1,
      permissions: [{ kind: 'project', namespace: 'busy', access: [{ resource: 'repository', action: 'pull' }] }],
    }),
  });
  expect(answer.status).toBe(201);
  return (await answer.json()) as { name: string; secret: string };
}

async function tokenFor(url: string, password: string): Promise<string> {
  const headers = { authorization: basic('admin', password) };
  const service = 'service=harbor-registry&scope=repository:busy/app:pull';
  const answer = (await (await fetch(`${url}/service/token?${service}`, { headers })).json()) as { token: string };
  return `Bearer ${answer.token}`;
}

async function installWithBlob(directory: string): Promise<string> {
  await using server = await startOurs(directory);
  await createProject(server, 'busy');
  using client = new RegistryBenchClient(server, 'busy/app');
  const { digest } = await pushImage(client, 'one');
  return digest.slice('sha256:'.length);
}

/** Changes one byte in the middle, or the one after a text. */
async function flip(path: string, after?: string, by?: string): Promise<void> {
  const bytes = await readFile(path);
  const at = after === undefined ? bytes.length >> 1 : bytes.indexOf(after) + after.length;
  await using file = await open(path, 'r+');
  const changed = by === undefined ? Buffer.from([(bytes[at] ?? 0) ^ 1]) : Buffer.from(by);
  await file.write(changed, 0, 1, at);
}

async function changeDatabase(data: string, statement: string): Promise<void> {
  await using database = await openDatabase({ kind: 'sqlite', path: join(data, 'registry.db') });
  await sql.raw(statement).execute(database.db);
}

async function expectPrivate(to: string): Promise<void> {
  for (const entry of await readdir(to, { withFileTypes: true, recursive: true })) {
    const { mode } = await stat(join(entry.parentPath, entry.name));
    expect([entry.name, mode & 0o077]).toEqual([entry.name, 0]);
  }
  expect((await stat(to)).mode & 0o077).toBe(0);
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
