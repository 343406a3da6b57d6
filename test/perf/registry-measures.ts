import { BenchBlob, RegistryBenchClient } from './registry-client.ts';
import type { ServerProcess } from './registry-servers.ts';

const MIB = 2 ** 20;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const SMALL_CLIENTS = 5;
const MANIFEST_CLIENTS = 50;
/** A list is answered in milliseconds, with whatever else goes on: of so many the median counts. */
const LISTS = 15;

/** How much there is to measure. */
export interface BenchSizes {
  readonly largeMiB: number;
  readonly smallBlobs: number;
  readonly manifests: number;
  readonly tags: number;
  readonly repositories: number;
}

/** Something that is timed on one server, in every round. */
export interface Measure {
  readonly name: string;
  /** Ours over theirs: how many times as fast we mean to be. */
  readonly goal: number;
  run(bench: RoundOfBench): Promise<number>;
}

/** Seconds of each measure, with what they share: blobs are pulled that were pushed. */
export interface RoundOfBench {
  readonly server: ServerProcess;
  readonly client: RegistryBenchClient;
  readonly round: number;
  readonly large: BenchBlob;
  readonly small: readonly BenchBlob[];
  readonly sizes: BenchSizes;
}

/** What is measured, in this order. */
export const MEASURES: readonly Measure[] = [
  { name: 'push 1 GiB', goal: 0.9, run: async ({ client, large }) => timed(async () => client.push(large)) },
  {
    name: 'pull 1 GiB',
    goal: 0.9,
    run: async ({ client, large }) => timed(async () => client.pull(large.digest)),
  },
  {
    name: 'push 200 x 1 MiB',
    goal: 1,
    run: async ({ client, small }) =>
      timed(async () => inParallel(small, SMALL_CLIENTS, async (blob) => client.push(blob))),
  },
  {
    name: 'pull 200 x 1 MiB',
    goal: 1,
    run: async ({ client, small }) =>
      timed(async () =>
        inParallel(small, SMALL_CLIENTS, async ({ digest }) => {
          await client.pull(digest);
        }),
      ),
  },
  { name: 'manifests, 50 clients', goal: 1, run: pushManifests },
  { name: 'list 10,000 tags', goal: 1, run: async (bench) => listTags(bench, '') },
  // Ten requests against one: the other one answers with everything whatever `n` says.
  { name: 'list 10,000 tags in pages of 1,000', goal: 0.7, run: async (bench) => listTags(bench, '?n=1000') },
  { name: 'page of 100 tags', goal: 1, run: async (bench) => getInTags(bench, 'tags/list?n=100&last=v5') },
  { name: 'page of 100 repositories', goal: 1, run: listRepositories },
];

/** The round, with fresh blobs. */
export function roundOf(
  server: ServerProcess,
  client: RegistryBenchClient,
  { round, sizes }: { readonly round: number; readonly sizes: BenchSizes },
): RoundOfBench {
  const large = new BenchBlob(sizes.largeMiB * MIB);
  const small = Array.from({ length: sizes.smallBlobs }, () => new BenchBlob(MIB));
  return { server, client, round, large, small, sizes };
}

/** Seconds that an operation took. */
export async function timed(operation: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await operation();
  return (performance.now() - start) / 1000;
}

/** Does something with all items, so many of them at once. */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  operation: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const item of queue) await operation(item);
    }),
  );
}

async function pushManifests({ client, sizes }: RoundOfBench): Promise<number> {
  const config = new BenchBlob(200);
  await client.push(config);
  const numbers = Array.from({ length: sizes.manifests }, (_, number) => number);
  return timed(async () =>
    inParallel(numbers, MANIFEST_CLIENTS, async (number) =>
      client.putManifest(`m${number}`, manifestOf(config, number), OCI_MANIFEST),
    ),
  );
}

/** All tags, page by page as far as the server has pages. */
async function listTags({ server, sizes }: RoundOfBench, page: string): Promise<number> {
  using client = await clientOfTags(server, sizes);
  return medianOf(async () => {
    const count = await client.listTags(page);
    if (count !== sizes.tags) throw new Error(`${count} tags were listed`);
  });
}

async function getInTags({ server, sizes }: RoundOfBench, path: string): Promise<number> {
  using client = await clientOfTags(server, sizes);
  return medianOf(async () => client.get(`/v2/bench/tags/${path}`));
}

/** The tags are made in the first round, then only listed. */
async function clientOfTags(server: ServerProcess, sizes: BenchSizes): Promise<RegistryBenchClient> {
  const client = new RegistryBenchClient(server, 'bench/tags');
  const last = await client.get(`/v2/bench/tags/manifests/v${sizes.tags - 1}`);
  if (last.status === 200) return client;
  const config = new BenchBlob(200);
  await client.push(config);
  const numbers = Array.from({ length: sizes.tags }, (_, number) => number);
  await inParallel(numbers, MANIFEST_CLIENTS, async (number) =>
    client.putManifest(`v${number}`, manifestOf(config, 0), OCI_MANIFEST),
  );
  return client;
}

/** The repositories are made in the first round, then only listed. */
async function listRepositories({ server, round, sizes }: RoundOfBench): Promise<number> {
  const numbers = Array.from({ length: round === 0 ? sizes.repositories : 0 }, (_, number) => number);
  const config = new BenchBlob(200);
  await inParallel(numbers, SMALL_CLIENTS, async (number) => {
    using client = new RegistryBenchClient(server, `bench/many/${number}`);
    await client.push(config);
    await client.putManifest('latest', manifestOf(config, 0), OCI_MANIFEST);
  });
  using client = new RegistryBenchClient(server, 'bench/many/0');
  return medianOf(async () => {
    const { status } = await client.get('/v2/_catalog?n=100&last=bench/many/5');
    if (status !== 200) throw new Error(`_catalog: ${status}`);
  });
}

/** The first one, not counted, fetches the token and opens the connection. */
async function medianOf(operation: () => Promise<unknown>): Promise<number> {
  await operation();
  const seconds: number[] = [];
  for (let count = 0; count < LISTS; count++) seconds.push(await timed(operation));
  return median(seconds);
}

/** The one in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function manifestOf(config: BenchBlob, number: number): object {
  const descriptor = { mediaType: 'application/vnd.example.config', digest: config.digest, size: config.sizeBytes };
  return {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor,
    layers: [],
    annotations: { number: String(number) },
  };
}
