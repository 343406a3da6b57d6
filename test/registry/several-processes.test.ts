import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '@vic/async';
import { FakeS3, VersityGateway } from '@vic/blob/testing';
import { PostgresServer, postgresUnavailable } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { BenchBlob, RegistryBenchClient, createProject } from '../perf/registry-client.ts';
import { type ServerProcess, startOurs } from '../perf/registry-servers.ts';
import { registry } from './command-line.ts';

const MIB = 2 ** 20;
const TIMEOUT_MS = 15 * 60_000;
const REPOSITORY = 'shared/app';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const NUMBERS = Array.from({ length: 10 }, (_, number) => number);

/** Processes of the registry on one PostgreSQL and one bucket, as the documentation configures them. */
describe.skipIf(postgresUnavailable() !== undefined)('several processes', { timeout: TIMEOUT_MS }, () => {
  it('are one registry: what one takes the others give, and one that is killed takes nothing along', async () => {
    await using site = await openSite();
    const one = await site.start();
    const two = await site.start();
    await createProject(one, 'shared');
    using atOne = new RegistryBenchClient(one, REPOSITORY);
    using atTwo = new RegistryBenchClient(two, REPOSITORY);

    const blobs = NUMBERS.map((number) => new BenchBlob(1000 + number * MIB));
    await mapLimit(blobs, 4, async (blob, index) => {
      const [here, there] = index % 2 === 0 ? [atOne, atTwo] : [atTwo, atOne];
      await here.push(blob);
      await here.putManifest(`v${index}`, manifestOf(blob), OCI_MANIFEST);
      expect(await there.pull(blob.digest)).toBe(blob.sizeBytes);
    });
    expect([await atOne.listTags(''), await atTwo.listTags('')]).toEqual([NUMBERS.length, NUMBERS.length]);

    const moving = new BenchBlob(3 * MIB);
    expect(await pushInTurns([one, two], moving)).toBe(201);
    await one.kill();
    expect(await atTwo.pull(moving.digest)).toBe(moving.sizeBytes);
    const three = await site.start();
    using atThree = new RegistryBenchClient(three, REPOSITORY);
    for (const blob of blobs) expect(await atThree.pull(blob.digest)).toBe(blob.sizeBytes);

    const scrub = await registry('scrub', '--config', site.configuration, '--json');
    expect([scrub.error, scrub.status]).toEqual(['', 0]);
    const collection = await registry('gc', '--config', site.configuration, '--older-than', '0', '--json');
    // The blob that no manifest names, and nothing else.
    expect(collection.json()).toMatchObject({ purged_blobs: 1, freed_space: moving.sizeBytes });
    for (const blob of blobs) expect(await atTwo.pull(blob.digest)).toBe(blob.sizeBytes);
  });
});

interface SharedSite extends AsyncDisposable {
  readonly configuration: string;
  start(): Promise<ServerProcess>;
}

async function openSite(): Promise<SharedSite> {
  await using onFailure = new AsyncDisposableStack();
  const directory = onFailure.use(await temporaryDirectory());
  const { location } = onFailure.use(await onFailure.use(await PostgresServer.start()).temporaryDatabase());
  if (location.kind !== 'postgres') throw new Error('not on PostgreSQL');
  const bucket = onFailure.use(await openBucket());
  const secretAccessKeyFile = join(directory.path, 's3-secret');
  await writeFile(secretAccessKeyFile, bucket.secretAccessKey);
  const { name, endpoint, accessKeyId } = bucket;
  const resources = onFailure.move();
  return {
    configuration: join(directory.path, 'registry.yaml'),
    start: async () => {
      const s3 = { bucket: name, endpoint, accessKeyId, secretAccessKeyFile };
      return resources.use(await startOurs(directory.path, { databaseUrl: location.url, s3 }));
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  };
}

interface Bucket extends AsyncDisposable {
  readonly name: string;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** On a real server where there is one. */
async function openBucket(): Promise<Bucket> {
  if (VersityGateway.isInstalled) {
    const gateway = await VersityGateway.start();
    await gateway.makeBucket('registry');
    const dispose = async (): Promise<void> => gateway[Symbol.asyncDispose]();
    const { endpoint } = gateway;
    return { name: 'registry', endpoint, ...VersityGateway.credentials, [Symbol.asyncDispose]: dispose };
  }
  const server = await FakeS3.start();
  const dispose = async (): Promise<void> => server[Symbol.asyncDispose]();
  return { name: FakeS3.bucket, endpoint: server.endpoint, ...FakeS3.credentials, [Symbol.asyncDispose]: dispose };
}

/** Uploads a blob in three chunks, each to the next process; gives the last status. */
async function pushInTurns(servers: readonly [ServerProcess, ServerProcess], blob: BenchBlob): Promise<number> {
  const [first, second] = servers;
  using client = new RegistryBenchClient(first, REPOSITORY);
  const authorization = `Bearer ${await client.fetchToken()}`;
  const begun = await fetch(`${first.url}/v2/${REPOSITORY}/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization },
  });
  let location = begun.headers.get('location') ?? '';
  let at = 0;
  for (const [turn, chunk] of [...blob.chunks()].entries()) {
    const bytes = Buffer.from(chunk);
    const answer = await fetch(new URL(pathOf(location), turn % 2 === 0 ? second.url : first.url), {
      method: 'PATCH',
      headers: {
        authorization,
        'content-type': 'application/octet-stream',
        'content-range': `${at}-${at + bytes.length - 1}`,
      },
      body: bytes,
    });
    expect(answer.status).toBe(202);
    location = answer.headers.get('location') ?? '';
    at += bytes.length;
  }
  const end = new URL(pathOf(location), second.url);
  end.searchParams.set('digest', blob.digest);
  return (await fetch(end, { method: 'PUT', headers: { authorization } })).status;
}

/** The part that is the same wherever a load balancer leads. */
function pathOf(location: string): string {
  const { pathname, search } = new URL(location, 'http://registry.example');
  return `${pathname}${search}`;
}

function manifestOf(blob: BenchBlob): object {
  const layer = { mediaType: 'application/vnd.example.layer', digest: blob.digest, size: blob.sizeBytes };
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config: layer, layers: [] };
}
