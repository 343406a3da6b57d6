import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { freePort, temporaryDirectory } from './index.ts';

it('temporaryDirectory() removes itself', async () => {
  let path: string;
  {
    await using directory = await temporaryDirectory();
    path = directory.path;
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});

it('freePort() gives a usable port', async () => {
  expect(await freePort()).toBeGreaterThan(1023);
});
