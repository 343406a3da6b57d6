export { algorithmOf, hashFor, hexOf, isBlobDigest, parseBlobDigest } from './blob-digest.ts';
export type { BlobDigest, DigestAlgorithm } from './blob-digest.ts';
export type {
  BlobStat,
  BlobStore,
  BlobStoreHealth,
  BlobVerdict,
  ByteRange,
  DamageListener,
  ListedBlob,
  ListedUpload,
} from './blob-store.ts';
export { openFsBlobStore } from './fs/fs-blob-store.ts';
export type { FsBlobStoreOptions } from './fs/fs-blob-store.ts';
export { OffsetConflict } from './offset-conflict.ts';
