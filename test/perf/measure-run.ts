import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import type { Docker } from '../../tools/lab/docker.ts';

/** Milliseconds from starting the docker CLI to the first byte of the container's output. */
export async function timeFirstOutput(docker: Docker, image: string): Promise<number> {
  const startedAt = performance.now();
  const child = docker.spawn(['run', '--rm', image, 'echo', 'hello']);
  if (child.stdout === null) throw new Error('no standard output');
  const closed = once(child, 'close');
  const [first] = (await Promise.race([once(child.stdout, 'data'), closed])) as [unknown];
  const elapsedMs = performance.now() - startedAt;
  child.stdout.resume();
  const [code] = (await closed) as [number];
  if (!(first instanceof Buffer) || code !== 0) throw new Error(`docker run exited with ${code}`);
  return elapsedMs;
}

/** Bytes that no other process shares, of each QEMU whose command line holds `marker` and runs (is not a template). */
export async function privateMemoryOfMachines(marker: string): Promise<number[]> {
  const sizes: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.startsWith('qemu-system') || !command.includes(marker)) continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kibibytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].map((match) => Number(match[1]));
    sizes.push(kibibytes.reduce((sum, size) => sum + size, 0) * 1024);
  }
  return sizes;
}
