import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { LineFile, readLines } from './line-file.ts';

it('append() keeps the order, and open() gives the lines back without one that was cut off', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lines');
  {
    await using file = (await LineFile.open(path)).file;
    await Promise.all(Array.from({ length: 50 }, async (_, number) => file.append(`line ${number}`)));
  }
  await appendFile(path, 'torn');
  const { file, lines } = await LineFile.open(path);
  expect(lines).toEqual(Array.from({ length: 50 }, (_, number) => `line ${number}`));
  await file.append('after');
  await file[Symbol.asyncDispose]();
  expect((await readLines(path, { truncateTail: false })).slice(-2)).toEqual(['line 49', 'after']);
});

it('startOver() keeps the old content where it is told to', async () => {
  await using directory = await temporaryDirectory();
  const [path, old] = [join(directory.path, 'lines'), join(directory.path, 'old')];
  await using file = (await LineFile.open(path)).file;
  await file.append('one');
  await file.startOver(old);
  await file.append('two');
  expect([await readFile(old, 'utf8'), await readFile(path, 'utf8')]).toEqual(['one\n', 'two\n']);
  await file.startOver();
  expect(await readFile(path, 'utf8')).toBe('');
});
