import { randomBytes } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, test } from 'vitest';
import { SecretBox } from './index.ts';

test('open() gives back what seal() took, never the same twice', () => {
  const box = new SecretBox(randomBytes(32));
  const [first, second] = [box.seal('hunter2', 'registry 1'), box.seal('hunter2', 'registry 1')];
  expect(first).not.toBe(second);
  expect(first).not.toContain('hunter2');
  expect(box.open(first, 'registry 1')).toBe('hunter2');
  expect(box.open(box.seal('', 'x'), 'x')).toBe('');
});

test('open() refuses another context, another key and damaged text', () => {
  const box = new SecretBox(randomBytes(32));
  const sealed = box.seal('hunter2', 'registry 1');
  expect(() => box.open(sealed, 'registry 2')).toThrow('cannot be decrypted');
  expect(() => new SecretBox(randomBytes(32)).open(sealed, 'registry 1')).toThrow('cannot be decrypted');
  expect(() => box.open('v1:AAAA', 'registry 1')).toThrow('cannot be decrypted');
});

test('SecretBox.open() makes a key only root can read and finds it again', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  const sealed = (await SecretBox.open(path)).seal('hunter2', 'x');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path)).toHaveLength(32);
  expect((await SecretBox.open(path)).open(sealed, 'x')).toBe('hunter2');
});

test('SecretBox.open() gives processes that start at the same moment one key', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  const boxes = await Promise.all(Array.from({ length: 10 }, async () => SecretBox.open(path)));
  const sealed = boxes.map((box, index) => box.seal(String(index), 'x'));
  const last = await SecretBox.open(path);
  expect(sealed.map((text) => last.open(text, 'x'))).toEqual(sealed.map((_, index) => String(index)));
  expect(await readdir(directory.path)).toEqual(['secret.key']);
});

test('SecretBox.open() refuses a file that is no key', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret.key');
  await writeFile(path, 'short');
  await expect(SecretBox.open(path)).rejects.toMatchObject({ code: 'SECRET_KEY_INVALID' });
});
