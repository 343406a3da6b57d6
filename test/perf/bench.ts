import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { delay } from '@vic/async';
import { busybox } from '../../tools/lab/images/index.ts';
import { Lab } from '../../tools/lab/lab.ts';
import { makeHelloInitramfs, timeBareBoot } from './bare-boot.ts';
import { privateMemoryOfMachines, timeFirstOutput } from './measure-run.ts';

/*
 * `./vic bench`: what SPECIFICATION.md promises about speed and memory, each against a peer in the same run.
 * Rounds alternate between the two, so that both see the same machine. Exits with 1 when a promise is broken.
 */

const ROUNDS = 10;
const IDLE_MACHINES = 5;
const IDLE_SETTLE_MS = 20_000;
/** The default shape of container VMs. */
const MEMORY_MIB = 512;
/** What SPECIFICATION.md promises (PERF-1, PERF-2), and what we are after. */
const PROMISES = { firstOutputRatio: 0.35, privateMiB: 64 } as const;
const GOALS = { firstOutputRatio: 0.3, privateMiB: 45 } as const;

const root = dirname(dirname(import.meta.dirname));
const directory = await mkdtemp(join(tmpdir(), 'vic-bench-'));
await chmod(directory, 0o755);
const lab = new Lab(`bench-${process.pid}`, join(directory, 'lab'));
try {
  const results = await measure();
  await mkdir(join(root, 'build'), { recursive: true });
  await writeFile(join(root, 'build/bench.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  console.table(results);
  for (const [name, goal] of Object.entries(GOALS)) {
    const reached = results[name as keyof typeof PROMISES] <= goal;
    console.log(`Goal ${name} ≤ ${goal}: ${reached ? 'reached' : 'not reached'}.`);
  }
  const broken = Object.entries(PROMISES).filter(([name, most]) => results[name as keyof typeof PROMISES] > most);
  for (const [name, most] of broken) console.error(`Broken promise: ${name} is above ${most}.`);
  process.exitCode = broken.length > 0 ? 1 : 0;
} finally {
  await lab.down();
  await rm(directory, { recursive: true, force: true });
}

async function measure(): Promise<Record<keyof typeof PROMISES | 'bareBootMs' | 'firstOutputMs', number>> {
  await lab.startHostd();
  await lab.startRegistry();
  const image = await lab.push(busybox);
  const docker = await lab.docker(await lab.createVch('bench'));
  await docker.ok(['pull', '--quiet', image]);
  const initramfs = await makeHelloInitramfs(directory);
  const kernel = join(root, 'build/guest/vmlinuz');
  await timeFirstOutput(docker, image);
  const bare: number[] = [];
  const clone: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await timeBareBoot(kernel, initramfs, MEMORY_MIB));
    clone.push(await timeFirstOutput(docker, image));
    console.log(
      `round ${round + 1}: bare boot ${bare.at(-1)?.toFixed(0)} ms, docker run ${clone.at(-1)?.toFixed(0)} ms`,
    );
  }
  for (let count = 0; count < IDLE_MACHINES; count++) await docker.ok(['run', '--detach', image, 'sleep', '100000']);
  await delay(IDLE_SETTLE_MS);
  const sizes = await privateMemoryOfMachines(directory);
  return {
    bareBootMs: Math.round(median(bare)),
    firstOutputMs: Math.round(median(clone)),
    firstOutputRatio: Number((median(clone) / median(bare)).toFixed(3)),
    privateMiB: Number((median(sizes) / 2 ** 20).toFixed(1)),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
