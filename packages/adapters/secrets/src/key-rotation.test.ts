import { readFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, test } from 'vitest';
import { KeyRotation, SecretBox } from './index.ts';

test('a box follows the key in its file, and opens what was sealed before until that key is forgotten', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  const serving = await SecretBox.open(path);
  const old = serving.seal('hunter2', 'x');
  const first = await readFile(path);
  {
    await using rotation = await KeyRotation.begin(path);
    await rotation.promote();
    const other = await SecretBox.open(path);
    expect(serving.open(other.seal('new', 'x'), 'x')).toBe('new');
    expect(other.open(old, 'x')).toBe('hunter2');
    const again = other.reseal(old, 'x') ?? '';
    expect(other.reseal(again, 'x')).toBeUndefined();
    expect(other.reseal(serving.seal('later', 'x'), 'x')).toBeUndefined();
    await rotation.forget();
    expect(serving.open(again, 'x')).toBe('hunter2');
    expect((await SecretBox.open(path)).open(again, 'x')).toBe('hunter2');
  }
  const last = await readFile(path);
  expect(last).toHaveLength(32);
  expect(last.equals(first)).toBe(false);
  const fresh = await SecretBox.open(path);
  expect(() => fresh.open(old, 'x')).toThrow('cannot be decrypted');
  expect(() => fresh.reseal(old, 'x')).toThrow('cannot be decrypted');
  expect(await readdir(directory.path)).toEqual(['secret.key']);
});

test('whoever has a prepared key opens what others seal with it later', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  const elsewhere = join(directory.path, 'copy.key');
  const before = (await SecretBox.open(path)).seal('hunter2', 'x');
  await using rotation = await KeyRotation.begin(path);
  await rotation.prepare();
  await rotation.prepare();
  await writeFile(elsewhere, await readFile(path));
  const copy = await SecretBox.open(elsewhere);
  await rotation.promote();
  const sealed = (await SecretBox.open(path)).reseal(before, 'x') ?? '';
  expect(copy.open(sealed, 'x')).toBe('hunter2');
  expect((await SecretBox.open(path)).open(copy.seal('from there', 'x'), 'x')).toBe('from there');
});

test('a rotation that was cut off goes on with the key it made', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  await SecretBox.open(path);
  let sealed = '';
  {
    await using rotation = await KeyRotation.begin(path);
    await rotation.promote();
    sealed = (await SecretBox.open(path)).seal('hunter2', 'x');
  }
  await using again = await KeyRotation.begin(path);
  await expect(again.prepare()).rejects.toMatchObject({ code: 'SECRET_ROTATION_UNFINISHED' });
  await again.promote();
  await again.forget();
  expect((await SecretBox.open(path)).open(sealed, 'x')).toBe('hunter2');
});

test('one rotation at a time; a lock that a killed process left is taken over', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  await SecretBox.open(path);
  {
    await using _first = await KeyRotation.begin(path);
    await expect(KeyRotation.begin(path)).rejects.toMatchObject({ code: 'SECRET_ROTATION_RUNS' });
  }
  await writeFile(`${path}.rotation`, JSON.stringify({ pid: process.pid, startTicks: '1', host: hostname() }));
  await using _second = await KeyRotation.begin(path);
});

test('open() refuses a ring without a key', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  for (const text of ['{}', '{"current":"short"}', '[]', 'null', '{"previous":"']) {
    await writeFile(path, text);
    await expect(SecretBox.open(path)).rejects.toMatchObject({ code: 'SECRET_KEY_INVALID' });
  }
});
