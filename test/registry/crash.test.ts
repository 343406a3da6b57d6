import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { delay, mapLimit, pollUntil } from '@vic/async';
import { openFsBlobStore } from '@vic/blob';
import { scrub } from '@vic/gc';
import { run } from '@vic/process';
import { openDatabase } from '@vic/sql';
import { PostgresServer, postgresUnavailable } from '@vic/sql/testing';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { BenchBlob, RegistryBenchClient, UnexpectedAnswer, createProject } from '../perf/registry-client.ts';
import { type ServerProcess, startOurs } from '../perf/registry-servers.ts';

const MIB = 2 ** 20;
const CRASHES = 20;
const PUSHES = 100;
const CLIENTS = 10;
/** Of each push two things are acknowledged: so many are there before the last pushes begin. */
const MOST_BEFORE_CRASH = 150;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const TIMEOUT_MS = 30 * 60_000;

describe('the registry, killed', { timeout: TIMEOUT_MS }, () => {
  it(`loses nothing that it acknowledged and tears nothing, ${CRASHES} times in the middle of ${PUSHES} pushes`, async () => {
    await using directory = await temporaryDirectory();
    const port = await freePort();
    const acknowledged: Acknowledged[] = [];
    for (let crash = 0; crash < CRASHES; crash++) {
      await using server = await startOurs(directory.path, { port });
      await createProject(server, 'crash');
      const killed = new AbortController();
      // By what is done, not by the clock: a slow machine has something to lose, too, and a fast one is not done yet.
      const enough = acknowledged.length + 2 + Math.floor(Math.random() * MOST_BEFORE_CRASH);
      const kill = async (): Promise<void> => {
        const isEnough = (): true | undefined => acknowledged.length >= enough || undefined;
        await pollUntil(isEnough, 1, AbortSignal.timeout(300_000));
        killed.abort();
        await server.kill();
      };
      await Promise.all([pushMany(server, { crash, acknowledged, killed: killed.signal }), kill()]);
    }
    expect(acknowledged.length).toBeGreaterThan(CRASHES);
    await expectSound(directory.path);
    await using server = await startOurs(directory.path, { port });
    using client = new RegistryBenchClient(server, 'crash/all');
    const lost: Acknowledged[] = [];
    for (const acknowledgement of acknowledged) {
      if (!(await isThere(client, acknowledgement))) lost.push(acknowledgement);
    }
    expect(lost).toEqual([]);
  });
});

describe('the registry, hurt', { timeout: TIMEOUT_MS }, () => {
  it('never serves a corrupted blob, and takes it again', async () => {
    await using directory = await temporaryDirectory();
    await using server = await startOurs(directory.path);
    await createProject(server, 'hurt');
    using client = new RegistryBenchClient(server, 'hurt/a');
    for (const size of [1000, 3 * MIB]) {
      const blob = new BenchBlob(size);
      await client.push(blob);
      await corrupt(directory.path, blob.digest);
      for (let attempt = 0; attempt < 2; attempt++) {
        const outcome = client.pull(blob.digest).then(
          () => 'served',
          () => 'refused',
        );
        expect(await outcome).toBe('refused');
      }
      await client.push(blob);
      expect(await client.pull(blob.digest)).toBe(size);
    }
  });

  it.skipIf(process.getuid?.() !== 0)(
    'says that the disk is full, and goes on when it is not (needs root)',
    async () => {
      await using directory = await temporaryDirectory();
      const blobs = join(directory.path, 'data/blobs');
      await mkdir(blobs, { recursive: true });
      await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'vic-test', blobs]);
      try {
        await using server = await startOurs(directory.path);
        await createProject(server, 'full');
        using client = new RegistryBenchClient(server, 'full/a');
        const first = new BenchBlob(10 * MIB);
        await client.push(first);
        const refused = await client.push(new BenchBlob(40 * MIB)).then(
          () => undefined,
          (error: unknown) => error,
        );
        // The answer comes before all of the body was sent; the connection may break before the client reads it.
        expect(refused).toBeInstanceOf(Error);
        expect(['507', 'broken']).toContain(refused instanceof UnexpectedAnswer ? String(refused.status) : 'broken');
        expect(await client.pull(first.digest)).toBe(first.sizeBytes);
        for (const name of await readdir(join(blobs, 'uploads')))
          await rm(join(blobs, 'uploads', name), { force: true });
        // The registry may still have the file open that was too large.
        await expect.poll(async () => freeBytes(blobs)).toBeGreaterThan(8 * MIB);
        const second = new BenchBlob(2 * MIB);
        await client.push(second);
        expect(await client.pull(second.digest)).toBe(second.sizeBytes);
        await server.kill();
        await expectSound(directory.path);
      } finally {
        await run('umount', [blobs]);
      }
    },
  );
});

describe('the registry, without its database', { timeout: TIMEOUT_MS }, () => {
  it.skipIf(postgresUnavailable() !== undefined)('says so, and goes on when the database is back', async () => {
    await using directory = await temporaryDirectory();
    await using postgres = await PostgresServer.start();
    await using database = await postgres.temporaryDatabase();
    if (database.location.kind !== 'postgres') throw new Error('not on PostgreSQL');
    await using server = await startOurs(directory.path, { databaseUrl: database.location.url });
    await createProject(server, 'away');
    using client = new RegistryBenchClient(server, 'away/a');
    const blob = new BenchBlob(MIB);
    await client.push(blob);
    await postgres.stop();
    const refused = await client.push(new BenchBlob(1000)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ status: 503 });
    await postgres.resume();
    await expect.poll(async () => client.pull(blob.digest).catch(() => 0), { timeout: 120_000 }).toBe(MIB);
    const after = new BenchBlob(2 * MIB);
    await client.push(after);
    expect(await client.pull(after.digest)).toBe(2 * MIB);
  });
});

interface Acknowledged {
  readonly digest?: string;
  readonly sizeBytes?: number;
  readonly tag?: string;
}

async function isThere(client: RegistryBenchClient, { digest, sizeBytes, tag }: Acknowledged): Promise<boolean> {
  if (digest !== undefined) return (await client.pull(digest).catch(() => -1)) === sizeBytes;
  return (await client.get(`/v2/crash/all/manifests/${tag}`)).status === 200;
}

/** Pushes until the registry is killed, and notes what it has said yes to. */
async function pushMany(
  server: ServerProcess,
  run: { readonly crash: number; readonly acknowledged: Acknowledged[]; readonly killed: AbortSignal },
): Promise<void> {
  using client = new RegistryBenchClient(server, 'crash/all');
  const numbers = Array.from({ length: PUSHES }, (_, number) => number);
  await mapLimit(numbers, CLIENTS, async (number) => {
    if (run.killed.aborted) return;
    const blob = new BenchBlob(100 + (randomBytes(1)[0] ?? 0) * 2000);
    const tag = `c${run.crash}-${number}`;
    try {
      await client.push(blob);
      run.acknowledged.push({ digest: blob.digest, sizeBytes: blob.sizeBytes });
      await client.putManifest(tag, manifestOf(blob), OCI_MANIFEST);
      run.acknowledged.push({ tag });
    } catch (error) {
      // What was under way when the registry was killed has failed; anything else has not.
      if (!run.killed.aborted) throw error;
    }
  });
}

function manifestOf(blob: BenchBlob): object {
  const config = { mediaType: 'application/vnd.example.config', digest: blob.digest, size: blob.sizeBytes };
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] };
}

/** Opens what the registry has left and reads all of it. */
async function expectSound(directory: string): Promise<void> {
  await using database = await openDatabase({ kind: 'sqlite', path: await databaseFile(directory) });
  await using blobs = await openFsBlobStore({ directory: join(directory, 'data/blobs') });
  const drop = (): void => undefined;
  const report = await scrub(
    { database, blobs, store: { deleteArtifacts: async () => [] } },
    { workers: 2 },
    { signal: new AbortController().signal, log: { info: drop, warn: drop, error: drop }, progress: drop },
  );
  expect(report).toMatchObject({ damagedBlobs: 0, damagedManifests: 0, missingBlobs: 0 });
}

async function databaseFile(directory: string): Promise<string> {
  const data = join(directory, 'data');
  const name = (await readdir(data)).find((file) => file.endsWith('.db'));
  if (name === undefined) throw new Error(`no database in ${data}`);
  return join(data, name);
}

async function corrupt(directory: string, digest: string): Promise<void> {
  const hex = digest.slice('sha256:'.length);
  await using file = await open(join(directory, 'data/blobs/blobs/sha256', hex.slice(0, 2), hex), 'r+');
  const { size, ctimeMs } = await file.stat();
  const at = Math.floor(size / 2);
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  const flipped = Buffer.from([(byte[0] ?? 0) ^ 1]);
  // Within one tick of the file system's clock, a change cannot be told from what was just verified.
  for (
    await file.write(flipped, 0, 1, at);
    (await file.stat()).ctimeMs === ctimeMs;
    await file.write(flipped, 0, 1, at)
  ) {
    await delay(5);
  }
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
