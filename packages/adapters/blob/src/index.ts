export { algorithmOf, hashFor, hexOf, isBlobDigest, parseBlobDigest } from './blob-digest.ts';
export type { BlobDigest, DigestAlgorithm } from './blob-digest.ts';
export type {
  BlobSource,
  BlobStat,
  BlobStore,
  BlobStoreHealth,
  BlobVerdict,
  ByteRange,
  DamageListener,
  ListedBlob,
  ListedUpload,
} from './blob-store.ts';
export { OffsetConflict } from './offset-conflict.ts';
