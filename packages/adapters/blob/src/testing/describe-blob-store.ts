import { describe } from 'vitest';
import { blobsSuite } from './blobs.suite.ts';
import { damageSuite } from './damage.suite.ts';
import { sharingSuite } from './sharing.suite.ts';
import type { StoreUnderTest } from './store-under-test.ts';
import { uploadsSuite } from './uploads.suite.ts';

/** What every blob store must do. */
export function describeBlobStore(create: () => Promise<StoreUnderTest>): void {
  describe('blobs', () => {
    blobsSuite(create);
  });
  describe('uploads', () => {
    uploadsSuite(create);
  });
  describe('several processes', () => {
    sharingSuite(create);
  });
  describe('damage', () => {
    damageSuite(create);
  });
}
