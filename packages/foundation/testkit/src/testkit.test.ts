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

it('freePort() gives ports that no connection takes by chance, none twice', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, async () => freePort()));
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) {
    expect(port).toBeGreaterThan(1023);
    expect(port).toBeLessThan(32_768);
  }
});
