import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { findCpuController, settingsOf } from './cpu-controller.ts';
import { CpuGroups } from './cpu-groups.ts';

const NORMAL = { limitCpus: undefined, shares: 1000 };

it('settingsOf() says limits and shares in the words of both versions', () => {
  expect(settingsOf(2, NORMAL)).toEqual({ 'cpu.weight': '100', 'cpu.max': 'max 100000' });
  expect(settingsOf(2, { limitCpus: 1.5, shares: 8000 })).toEqual({ 'cpu.weight': '800', 'cpu.max': '150000 100000' });
  expect(settingsOf(2, { limitCpus: 0, shares: 1 })).toEqual({ 'cpu.weight': '1', 'cpu.max': '1000 100000' });
  expect(settingsOf(1, NORMAL)).toEqual({ 'cpu.shares': '1024', 'cpu.cfs_quota_us': '-1' });
  expect(settingsOf(1, { limitCpus: 0.5, shares: 1_000_000 })).toEqual({
    'cpu.shares': '262144',
    'cpu.cfs_quota_us': '50000',
  });
});

it('findCpuController() takes version 2 where it has processors, else version 1, else none', async () => {
  await using directory = await temporaryDirectory();
  const [v2, mounts] = [join(directory.path, 'unified'), join(directory.path, 'mounts')];
  await mkdir(v2);
  const write = async (controllers: string, v1: string): Promise<void> => {
    await writeFile(join(v2, 'cgroup.controllers'), controllers);
    await writeFile(mounts, `tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 ${v2} cgroup2 rw 0 0\n${v1}`);
  };
  const v1 = 'cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n';
  await write('cpuset cpu io\n', v1);
  expect(await findCpuController(mounts)).toEqual({ version: 2, directory: v2 });
  await write('hugetlb\n', v1);
  expect(await findCpuController(mounts)).toEqual({ version: 1, directory: '/sys/fs/cgroup/cpu' });
  await write('', 'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n');
  expect(await findCpuController(mounts)).toBeUndefined();
});

it('groups are nested as pools are, and machines follow when pools change', async () => {
  // A directory takes what the kernel's groups would: enough to see what is written where.
  await using directory = await temporaryDirectory();
  const groups = await CpuGroups.open({ version: 2, directory: directory.path }, 'vic-test');
  const top = join(directory.path, 'vic-test');
  const read = async (...path: string[]): Promise<string> => readFile(join(top, ...path), 'utf8');
  const outer = { id: 'outer', parent: undefined, limitCpus: 1, shares: 4000 };
  const inner = { id: 'inner', parent: 'outer', limitCpus: 2, shares: 8000 };
  await groups.apply([inner, outer], []);
  expect(await read('outer', 'cpu.max')).toBe('100000 100000');
  expect(await read('outer', 'inner', 'cpu.weight')).toBe('800');
  expect(await read('outer', 'cgroup.subtree_control')).toBe('+cpu');
  await groups.place({ id: 'a', pid: 42, pool: 'inner', cpu: { limitCpus: 0.5, shares: 1000 } });
  expect(await read('outer', 'inner', 'vm-a', 'cgroup.procs')).toBe('42');
  expect(await read('outer', 'inner', 'vm-a', 'cpu.max')).toBe('50000 100000');
  await groups.apply([outer], [{ id: 'a', pid: 42, pool: 'outer', cpu: NORMAL }]);
  expect(await read('outer', 'vm-a', 'cgroup.procs')).toBe('42');
  expect(await read('outer', 'vm-a', 'cpu.max')).toBe('max 100000');
  // The kernel's groups have no files of their own to remove first.
  await rm(join(top, 'outer', 'vm-a'), { recursive: true });
  await groups.leave('a');
  expect((await readdir(join(top, 'outer'))).includes('vm-a')).toBe(false);
});

it('open() throws where there is nothing to be written', async () => {
  await expect(CpuGroups.open({ version: 2, directory: '/proc/self/nowhere' }, 'vic-test')).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
