import { readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, test } from 'vitest';
import { acquireLockFile } from './index.ts';

test('acquireLockFile() gives a lock to one at a time', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lock');
  {
    const attempts = await Promise.all(Array.from({ length: 8 }, async () => acquireLockFile(path)));
    const [lock, ...others] = attempts.filter((attempt) => attempt !== undefined);
    expect(others).toEqual([]);
    await lock?.[Symbol.asyncDispose]();
  }
  expect(await readdir(directory.path)).toEqual([]);
  await using again = await acquireLockFile(path);
  expect(again).toBeDefined();
});

test('acquireLockFile() takes over what a killed process of this machine left, and nothing else', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lock');
  const dead = { pid: process.pid, startTicks: '1' };
  for (const text of [JSON.stringify({ ...dead, host: 'elsewhere.example' }), 'not ours']) {
    await writeFile(path, text);
    expect(await acquireLockFile(path)).toBeUndefined();
  }
  await writeFile(path, JSON.stringify({ ...dead, host: hostname() }));
  await using lock = await acquireLockFile(path);
  expect(lock).toBeDefined();
});

test('acquireLockFile() gives what a killed process left to one of many that find it', async () => {
  await using directory = await temporaryDirectory();
  for (let round = 0; round < 20; round++) {
    const path = join(directory.path, `lock-${round}`);
    await writeFile(path, JSON.stringify({ pid: process.pid, startTicks: '1', host: hostname() }));
    const attempts = await Promise.all(Array.from({ length: 8 }, async () => acquireLockFile(path)));
    expect(attempts.filter((attempt) => attempt !== undefined)).toHaveLength(1);
  }
});
