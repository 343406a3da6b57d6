import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pollUntil } from '@vic/async';
import { acquireLockFile, run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { BenchBlob, RegistryBenchClient, createProject } from '../perf/registry-client.ts';
import { type ServerProcess, startOurs } from '../perf/registry-servers.ts';
import { registry } from './command-line.ts';
import { basic } from './plain-site.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const TIMEOUT_MS = 15 * 60_000;

it('--keep removes older backups and the blobs that only they had', { timeout: TIMEOUT_MS }, async () => {
  await using directory = await temporaryDirectory();
  const [to, data] = [join(directory.path, 'backups'), join(directory.path, 'data')];
  await using server = await startOurs(directory.path);
  await createProject(server, 'kept');
  using client = new RegistryBenchClient(server, 'kept/app');
  const gone = await pushImage(client, 'gone');
  const stays = await pushImage(client, 'stays');
  const backUp = async (...more: readonly string[]) => {
    const outcome = await registry('backup', '--data', data, '--to', to, '--json', ...more);
    expect(outcome).toMatchObject({ status: 0, error: '' });
    return outcome.json<{ directory: string; count: number; removed: readonly string[] }>();
  };
  const first = await backUp();
  await remove(server, 'gone');
  expect((await registry('gc', '--data', data, '--older-than', '0')).status).toBe(0);
  const second = await backUp('--keep', '2');
  expect(second).toMatchObject({ count: first.count - 1, removed: [] });
  expect(await contents(to)).toEqual([gone, stays].toSorted());
  const third = await backUp('--keep', '2');
  expect(third.removed).toHaveLength(1);
  expect(await contents(to)).toEqual([stays]);
  for (const one of [second, third]) {
    const verified = await registry('backup', 'verify', '--from', one.directory);
    expect(verified).toMatchObject({ status: 0, out: expect.stringContaining('is whole: 1 blobs') as string });
  }
  await server.kill();
  const restored = join(directory.path, 'restored');
  expect((await registry('restore', '--from', second.directory, '--data', restored)).status).toBe(0);
  expect((await readdir(to)).filter((name) => name.startsWith('.'))).toEqual([]);
  expect((await registry('backup', '--data', data, '--to', to, '--keep', '0')).error).toContain('keep nothing');
});

it('backup verify finds what is damaged, and the next backup mends it', { timeout: TIMEOUT_MS }, async () => {
  await using directory = await temporaryDirectory();
  const [to, data] = [join(directory.path, 'backups'), join(directory.path, 'data')];
  {
    await using server = await startOurs(directory.path);
    await createProject(server, 'kept');
    using client = new RegistryBenchClient(server, 'kept/app');
    await pushImage(client, 'one');
  }
  expect((await registry('backup', '--data', data, '--to', to)).status).toBe(0);
  const [hex = ''] = await contents(to);
  await flip(join(to, 'content/blobs/sha256', hex.slice(0, 2), hex));
  const damaged = await registry('backup', 'verify', '--from', to);
  expect(damaged).toMatchObject({ status: 1, error: expect.stringContaining(`sha256:${hex} is not what`) as string });
  expect((await registry('backup', 'verify', '--from', to)).error).toContain(`sha256:${hex} is missing`);
  expect((await registry('backup', '--data', data, '--to', to)).out).toContain('1 of them were not there yet');
  expect((await registry('backup', 'verify', '--from', to)).status).toBe(0);
  {
    await using _lock = await acquireLockFile(join(to, '.lock'));
    expect((await registry('backup', '--data', data, '--to', to)).error).toContain('Another backup is being made');
  }
  const [first = ''] = (await readdir(to)).filter((name) => name !== 'content');
  await rm(join(to, first, 'tls'), { recursive: true, force: true });
  await flip(join(to, first, 'registry.db'));
  expect((await registry('backup', 'verify', '--from', join(to, first))).error).toContain('registry.db is not what');
});

it('a backup that was killed leaves nothing in the way of the next', { timeout: TIMEOUT_MS }, async () => {
  await using directory = await temporaryDirectory();
  const [to, data] = [join(directory.path, 'backups'), join(directory.path, 'data')];
  {
    await using server = await startOurs(directory.path);
    await createProject(server, 'kept');
    using client = new RegistryBenchClient(server, 'kept/app');
    for (let number = 0; number < 30; number++) await pushImage(client, `t${number}`);
  }
  // A backup that comes to a pipe where a blob was waits for ever: it is killed in the middle, however fast it is.
  const [hex = ''] = await contents(data, 'blobs');
  const blob = join(data, 'blobs/blobs/sha256', hex.slice(0, 2), hex);
  await rename(blob, join(directory.path, 'blob'));
  await run('mkfifo', [blob]);
  const program = join(dirname(dirname(import.meta.dirname)), 'apps/registry/src/main.ts');
  const args = [program, 'backup', '--data', data, '--to', to];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const hasBegun = async (): Promise<true | undefined> => {
    const names = await readdir(to).catch(() => []);
    const isCopying =
      names.some((name) => name.endsWith('.partial')) && (await contents(to).catch(() => [])).length > 0;
    return isCopying || undefined;
  };
  await pollUntil(hasBegun, 20, AbortSignal.timeout(300_000));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await rename(join(directory.path, 'blob'), blob);
  expect((await registry('restore', '--from', to, '--data', join(directory.path, 'x'))).error).toContain('did not end');
  expect(await registry('backup', '--data', data, '--to', to)).toMatchObject({ status: 0, error: '' });
  const left = await readdir(to);
  expect(left.filter((name) => name.startsWith('.') || name.endsWith('.partial'))).toEqual([]);
  expect((await registry('backup', 'verify', '--from', to)).out).toContain('is whole: 30 blobs');
});

it('a backup in one file is restored, and refused when it is cut short', { timeout: TIMEOUT_MS }, async () => {
  await using directory = await temporaryDirectory();
  const [file, data] = [join(directory.path, 'out', 'backup.tar'), join(directory.path, 'data')];
  {
    await using server = await startOurs(directory.path);
    await createProject(server, 'kept');
    using client = new RegistryBenchClient(server, 'kept/app');
    await pushImage(client, 'one');
  }
  expect(await registry('backup', '--data', data, '--to', file)).toMatchObject({ status: 0, error: '' });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await registry('backup', '--data', data, '--to', file)).error).toContain('already');
  expect((await registry('backup', '--data', data, '--to', 'x.tar', '--keep', '2')).error).toContain('--keep is for');
  expect((await registry('backup', 'verify', '--from', file)).out).toContain('is whole: 1 blobs');
  const restored = join(directory.path, 'restored');
  expect(await registry('restore', '--from', file, '--data', restored)).toMatchObject({ status: 0, error: '' });
  expect(await registry('scrub', '--data', restored)).toMatchObject({ status: 0 });
  expect(await readdir(join(directory.path, 'out'))).toEqual(['backup.tar']);
  await truncate(file, (await stat(file)).size - 60_000);
  const cut = await registry('restore', '--from', file, '--data', join(directory.path, 'again'));
  expect(cut).toMatchObject({ status: 1, error: expect.stringContaining('damaged') as string });
  const left = (await readdir(directory.path)).filter(
    (name) => name.startsWith('again') || name.includes('.restoring'),
  );
  expect(left).toEqual([]);
});

async function pushImage(client: RegistryBenchClient, tag: string): Promise<string> {
  const blob = new BenchBlob(50_000);
  await client.push(blob);
  const config = { mediaType: 'application/vnd.example.config', digest: blob.digest, size: blob.sizeBytes };
  await client.putManifest(tag, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }, OCI_MANIFEST);
  return blob.digest.slice('sha256:'.length);
}

async function remove(server: ServerProcess, tag: string): Promise<void> {
  const { name, password } = server.administrator ?? { name: '', password: '' };
  const url = `${server.url}/api/v2.0/projects/kept/repositories/app/artifacts/${tag}`;
  const answer = await fetch(url, { method: 'DELETE', headers: { authorization: basic(name, password) } });
  expect(answer.status).toBe(200);
}

/** The digests of the blobs in a store, by default in that of a directory of backups. */
async function contents(of: string, store = 'content'): Promise<readonly string[]> {
  const found = await readdir(join(of, store, 'blobs'), { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .toSorted();
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes.length >> 1;
  await using file = await open(path, 'r+');
  await file.write(Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at);
}
