import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { delay } from '@vic/async';
import { RegistryBenchClient, createProject } from './registry-client.ts';
import { type BenchSizes, MEASURES, inParallel, median, roundOf, timed } from './registry-measures.ts';
import { type ServerProcess, residentMiB, startDockerRegistry, startOurs } from './registry-servers.ts';

/*
 * Our registry against Debian's `docker-registry`, on the same disk in the same run. Rounds alternate between the two,
 * so that both see the same machine; the figures are medians. Ours authenticates and authorizes every request, the
 * other does not. Exits with 1 when a goal is missed. `--quick` tries everything once and small, for a first look;
 * `--only=<words>` takes only the measures with one of those words, separated by commas, in their names.
 */

const QUICK = process.argv.includes('--quick');
const ONLY = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const SIZES: BenchSizes = QUICK
  ? { largeMiB: 128, smallBlobs: 40, manifests: 100, tags: 500, repositories: 50 }
  : { largeMiB: 1024, smallBlobs: 200, manifests: 500, tags: 10_000, repositories: 500 };
const ROUNDS = QUICK ? 1 : 3;
const PARALLEL_PULLS = 50;
/** Long enough for every pull to be under way at once; all of them to their end would take minutes. */
const PULLING_MS = QUICK ? 5_000 : 20_000;
const TOKENS = 100;
const TOKEN_CLIENTS = 5;
/** What we mean to need at most. */
const MAX_RSS_MIB = 300;

const measures = MEASURES.filter(({ name }) => ONLY?.some((word) => name.includes(word)) ?? true);
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
  const seconds = new Map(
    measures.map(({ name }) => [name, { ours: new Array<number>(), theirs: new Array<number>() }]),
  );
  let large = '';
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, server] of [
      ['ours', ours],
      ['theirs', theirs],
    ] as const) {
      using client = new RegistryBenchClient(server, `bench/round${round}`);
      const bench = roundOf(server, client, { round, sizes: SIZES });
      if (name === 'ours') large = bench.large.digest;
      for (const measure of measures) {
        const took = await measure.run(bench);
        seconds.get(measure.name)?.[name].push(took);
        console.log(`round ${round + 1}, ${name}, ${measure.name}: ${took.toFixed(3)} s`);
      }
    }
  }
  const rows = judge(seconds);
  if (ONLY !== undefined) return;
  await report(rows, { tokenRate: await measureTokens(ours), rssMiB: await measureMemory(ours, large) });
}

async function measureTokens(server: ServerProcess): Promise<number> {
  using client = new RegistryBenchClient(server, 'bench/tokens');
  const requests = Array.from({ length: TOKENS }, (_, number) => number);
  const seconds = await timed(async () =>
    inParallel(requests, TOKEN_CLIENTS, async () => {
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

interface Row {
  readonly measure: string;
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly goal: number;
}

function judge(
  seconds: ReadonlyMap<string, { readonly ours: readonly number[]; readonly theirs: readonly number[] }>,
): Row[] {
  const rows = measures.map(({ name, goal }) => {
    const [ours, theirs] = [median(seconds.get(name)?.ours ?? []), median(seconds.get(name)?.theirs ?? [])];
    return { measure: name, ours: rounded(ours), theirs: rounded(theirs), ratio: rounded(theirs / ours), goal };
  });
  console.table(rows);
  const missed = rows.filter(({ ratio, goal }) => ratio < goal);
  for (const { measure } of missed) console.error(`Missed goal: ${measure}.`);
  if (missed.length > 0) process.exitCode = 1;
  return rows;
}

async function report(
  rows: readonly Row[],
  { tokenRate, rssMiB }: { readonly tokenRate: number; readonly rssMiB: number },
): Promise<void> {
  console.log(`${tokenRate.toFixed(0)} tokens per second with name and password.`);
  console.log(`${rssMiB.toFixed(0)} MiB resident at ${PARALLEL_PULLS} pulls at once; the goal is ${MAX_RSS_MIB}.`);
  const build = join(dirname(dirname(import.meta.dirname)), 'build');
  await mkdir(build, { recursive: true });
  await writeFile(join(build, 'registry-bench.json'), `${JSON.stringify({ rows, tokenRate, rssMiB }, undefined, 2)}\n`);
  if (rssMiB <= MAX_RSS_MIB) return;
  console.error('Missed goal: memory.');
  process.exitCode = 1;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
