import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delay } from '@vic/async';
import { afterEach, describe, expect, it } from 'vitest';
import { findCpuController } from './cpu-controller.ts';
import { CpuGroups } from './cpu-groups.ts';

const controller = await findCpuController();
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) await ended(child);
});

async function ended(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** A process that takes all the time it gets. */
function spinner(): number {
  const child = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

/** Processor time a process has had, in clock ticks. */
async function ticksOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe.skipIf(controller === undefined)('CpuGroups with the kernel (needs root and the cpu controller)', () => {
  it('holds two machines of nested pools below the limit of the outer one, and lets them go', async () => {
    if (controller === undefined) throw new Error('there is no controller');
    const name = `vic-t-${randomUUID().slice(0, 8)}`;
    const groups = await CpuGroups.open(controller, name);
    const pools = (limitCpus: number | undefined) => [
      { id: 'outer', parent: undefined, limitCpus, shares: 4000 },
      { id: 'inner', parent: 'outer', limitCpus: 2, shares: 4000 },
    ];
    const cpu = { limitCpus: undefined, shares: 1000 };
    try {
      await groups.apply(pools(0.1), []);
      const [a, b] = [spinner(), spinner()];
      await groups.place({ id: 'a', pid: a, pool: 'outer', cpu });
      await groups.place({ id: 'b', pid: b, pool: 'inner', cpu });
      const used = async (): Promise<number> => (await ticksOf(a)) + (await ticksOf(b));
      const [before, startedMs] = [await used(), performance.now()];
      await delay(2000);
      const ticks = (await used()) - before;
      // 0.1 processors are 10 ticks of 10 ms a second; without a limit there would be well over fifty.
      expect(ticks).toBeLessThan((20 * (performance.now() - startedMs)) / 1000);
      await groups.apply(pools(undefined), [
        { id: 'a', pid: a, pool: 'outer', cpu },
        { id: 'b', pid: b, pool: 'inner', cpu },
      ]);
      await groups.apply(pools(0.2), [{ id: 'b', pid: b, pool: 'outer', cpu }]);
      expect(await readFile(`/proc/${b}/cgroup`, 'utf8')).toContain(`/${name}/outer/vm-b\n`);
      for (const child of children.splice(0)) await ended(child);
      await groups.leave('a');
      await groups.leave('b');
    } finally {
      await groups.remove();
    }
    await expect(access(join(controller.directory, name))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
