import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { delay } from '@vic/async';
import { BenchBlob, RegistryBenchClient, createProject } from './registry-client.ts';
import { type ServerProcess, residentMiB, startDockerRegistry, startOurs } from './registry-servers.ts';

/*
 * Our registry against Debian's `docker-registry`, on the same disk in the same run. Rounds alternate between the two,
 * so that both see the same machine; the figures are medians. Ours authenticates and authorizes every request, the
 * other does not. Exits with 1 when a goal is missed. `--quick` tries everything once and small, for a first look.
 */

const QUICK = process.argv.includes('--quick');

const MIB = 2 ** 20;
const LARGE_MIB = QUICK ? 128 : 1024;
const SMALL_BLOBS = QUICK ? 40 : 200;
const SMALL_CLIENTS = 5;
const MANIFESTS = QUICK ? 100 : 500;
const MANIFEST_CLIENTS = 50;
const TAGS = QUICK ? 500 : 10_000;
const PARALLEL_PULLS = 50;
const ROUNDS = QUICK ? 1 : 3;
/** Long enough for every pull to be under way at once; all of them to their end would take minutes. */
const PULLING_MS = QUICK ? 5_000 : 20_000;
const TOKENS = 100;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Ours over theirs: how many times as fast we mean to be; and what we mean to need at most. */
const GOALS = {
  'push 1 GiB': 0.9,
  'pull 1 GiB': 0.9,
  'push 200 x 1 MiB': 1,
  'pull 200 x 1 MiB': 1,
  'manifests, 50 clients': 1,
  'list 10,000 tags': 1,
} as const;
const MAX_RSS_MIB = 300;

type Measure = keyof typeof GOALS;

const directory = await mkdtemp(join(tmpdir(), 'vic-registry-bench-'));
try {
  await main();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function main(): Promise<void> {
  await using ours = await startOurs(join(directory, 'ours'));
  await using theirs = await startDockerRegistry(join(directory, 'theirs'));
  await createProject(ours, 'bench');
  const seconds = { ours: emptyTimes(), theirs: emptyTimes() };
  let large = '';
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, server] of [
      ['ours', ours],
      ['theirs', theirs],
    ] as const) {
      const { times, digest } = await measureRound(server, round);
      for (const measure of Object.keys(times) as Measure[]) seconds[name][measure].push(times[measure]);
      if (name === 'ours') large = digest;
      console.log(`round ${round + 1}, ${name}: ${JSON.stringify(times)}`);
    }
  }
  const tokenRate = await measureTokens(ours);
  const rss = { ours: await measureMemory(ours, large), idle: await residentMiB(theirs.pid) };
  await report(seconds, { tokenRate, rssMiB: rss.ours });
}

function emptyTimes(): Record<Measure, number[]> {
  return Object.fromEntries(Object.keys(GOALS).map((measure) => [measure, []])) as never;
}

async function measureRound(
  server: ServerProcess,
  round: number,
): Promise<{ readonly times: Record<Measure, number>; readonly digest: string }> {
  using client = new RegistryBenchClient(server, `bench/round${round}`);
  const large = new BenchBlob(LARGE_MIB * MIB);
  const small = Array.from({ length: SMALL_BLOBS }, () => new BenchBlob(MIB));
  const pushLarge = await timed(async () => client.push(large));
  const pullLarge = await timed(async () => client.pull(large.digest));
  const pushSmall = await timed(async () => inParallel(small, SMALL_CLIENTS, async (blob) => client.push(blob)));
  const pullSmall = await timed(async () =>
    inParallel(small, SMALL_CLIENTS, async ({ digest }) => {
      await client.pull(digest);
    }),
  );
  const manifests = await measureManifests(client);
  const tags = await measureTags(server, round);
  return {
    digest: large.digest,
    times: {
      'push 1 GiB': pushLarge,
      'pull 1 GiB': pullLarge,
      'push 200 x 1 MiB': pushSmall,
      'pull 200 x 1 MiB': pullSmall,
      'manifests, 50 clients': manifests,
      'list 10,000 tags': tags,
    },
  };
}

async function measureManifests(client: RegistryBenchClient): Promise<number> {
  const config = new BenchBlob(200);
  await client.push(config);
  const numbers = Array.from({ length: MANIFESTS }, (_, number) => number);
  return timed(async () =>
    inParallel(numbers, MANIFEST_CLIENTS, async (number) =>
      client.putManifest(`m${number}`, manifestOf(config, number), OCI_MANIFEST),
    ),
  );
}

/** The tags are made in the first round, then only listed. */
async function measureTags(server: ServerProcess, round: number): Promise<number> {
  using client = new RegistryBenchClient(server, 'bench/tags');
  if (round === 0) {
    const config = new BenchBlob(200);
    await client.push(config);
    const numbers = Array.from({ length: TAGS }, (_, number) => number);
    await inParallel(numbers, MANIFEST_CLIENTS, async (number) =>
      client.putManifest(`v${number}`, manifestOf(config, 0), OCI_MANIFEST),
    );
  }
  return timed(async () => {
    const count = await client.listTags(1000);
    if (count !== TAGS) throw new Error(`${count} tags were listed`);
  });
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

async function measureTokens(server: ServerProcess): Promise<number> {
  using client = new RegistryBenchClient(server, 'bench/tokens');
  const requests = Array.from({ length: TOKENS }, (_, number) => number);
  const seconds = await timed(async () =>
    inParallel(requests, SMALL_CLIENTS, async () => {
      await client.fetchToken();
    }),
  );
  return TOKENS / seconds;
}

/** The most memory seen while so many clients pull a large blob at once. */
async function measureMemory(server: ServerProcess, digest: string): Promise<number> {
  using client = new RegistryBenchClient(server, `bench/round${ROUNDS - 1}`);
  const signal = AbortSignal.timeout(PULLING_MS);
  let most = 0;
  const watching = (async (): Promise<void> => {
    while (!signal.aborted) {
      most = Math.max(most, await residentMiB(server.pid));
      await delay(100);
    }
  })();
  await Promise.all(Array.from({ length: PARALLEL_PULLS }, async () => client.pull(digest, signal)));
  await watching;
  return most;
}

async function timed(operation: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await operation();
  return (performance.now() - start) / 1000;
}

async function inParallel<T>(
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

async function report(
  seconds: Record<'ours' | 'theirs', Record<Measure, number[]>>,
  { tokenRate, rssMiB }: { readonly tokenRate: number; readonly rssMiB: number },
): Promise<void> {
  const rows = (Object.keys(GOALS) as Measure[]).map((measure) => {
    const [ours, theirs] = [median(seconds.ours[measure]), median(seconds.theirs[measure])];
    return {
      measure,
      ours: rounded(ours),
      theirs: rounded(theirs),
      ratio: rounded(theirs / ours),
      goal: GOALS[measure],
    };
  });
  console.table(rows);
  console.log(`${tokenRate.toFixed(0)} tokens per second with name and password.`);
  console.log(`${rssMiB.toFixed(0)} MiB resident at ${PARALLEL_PULLS} pulls at once; the goal is ${MAX_RSS_MIB}.`);
  const build = join(dirname(dirname(import.meta.dirname)), 'build');
  await mkdir(build, { recursive: true });
  await writeFile(join(build, 'registry-bench.json'), `${JSON.stringify({ rows, tokenRate, rssMiB }, undefined, 2)}\n`);
  const missed = rows.filter(({ ratio, goal }) => ratio < goal).map(({ measure }) => measure);
  for (const measure of missed) console.error(`Missed goal: ${measure}.`);
  if (rssMiB > MAX_RSS_MIB) console.error('Missed goal: memory.');
  process.exitCode = missed.length > 0 || rssMiB > MAX_RSS_MIB ? 1 : 0;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
