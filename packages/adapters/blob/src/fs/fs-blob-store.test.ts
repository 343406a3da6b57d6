import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect } from 'vitest';
import { hexOf } from '@vic/oci';
import { describeBlobStore } from '../testing/describe-blob-store.ts';
import type { StoreUnderTest } from '../testing/store-under-test.ts';
import { openFsBlobStore } from './fs-blob-store.ts';

describe('a blob store on files', () => {
  describeBlobStore(createPlace);
});

async function createPlace(): Promise<StoreUnderTest> {
  const { path: directory, [Symbol.asyncDispose]: dispose } = await temporaryDirectory();
  return {
    open: async (onDamage) => openFsBlobStore(onDamage === undefined ? { directory } : { directory, onDamage }),
    damage: async (digest) => {
      const hex = hexOf(digest);
      await using file = await open(join(directory, 'blobs/sha256', hex.slice(0, 2), hex), 'r+');
      const before = await file.stat();
      const at = Math.floor(before.size / 2);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      const damaged = Buffer.from([(byte[0] ?? 0) ^ 1]);
      // Within one tick of the file system's clock a change of a file cannot be told from none.
      const changedAtMs = async (): Promise<number> => {
        await file.write(damaged, 0, 1, at);
        return (await file.stat()).ctimeMs;
      };
      await expect.poll(changedAtMs, { interval: 1 }).toBeGreaterThan(before.ctimeMs);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
