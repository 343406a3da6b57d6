import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, test } from 'vitest';
import { replaceFile } from './index.ts';

test('replaceFile() makes a file with the given permissions and leaves nothing beside it', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'state.json');
  await replaceFile(path, 'content', { mode: 0o600 });
  expect(await readFile(path, 'utf8')).toBe('content');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory.path)).toEqual(['state.json']);
});

test('replaceFile() takes the whole place of a longer file with other permissions', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'state.json');
  await writeFile(path, 'something much longer', { mode: 0o644 });
  await replaceFile(path, Buffer.from('short'), { mode: 0o600, durable: true });
  expect(await readFile(path, 'utf8')).toBe('short');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('replaceFile() replaces a link instead of writing through it', async () => {
  await using directory = await temporaryDirectory();
  const [path, target] = [join(directory.path, 'link'), join(directory.path, 'target')];
  await writeFile(target, 'untouched');
  await symlink(target, path);
  await replaceFile(path, 'new', { mode: 0o600 });
  expect(await readFile(target, 'utf8')).toBe('untouched');
  expect(await readFile(path, 'utf8')).toBe('new');
});

test('replaceFile() gives every reader one of many concurrent contents as a whole', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'state.json');
  const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
  await Promise.all(contents.map(async (content) => replaceFile(path, content, { mode: 0o600 })));
  expect(contents).toContain(await readFile(path, 'utf8'));
  expect(await readdir(directory.path)).toEqual(['state.json']);
});

test('replaceFile() leaves no draft behind when it fails', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'in-the-way');
  await mkdir(path);
  await expect(replaceFile(path, 'content', { mode: 0o600 })).rejects.toThrow('EISDIR');
  expect(await readdir(directory.path)).toEqual(['in-the-way']);
});
