import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe } from 'vitest';
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
      const at = Math.floor((await file.stat()).size / 2);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
