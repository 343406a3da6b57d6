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
export { openS3BlobStore } from './s3/s3-blob-store.ts';
export type { S3BlobStoreOptions } from './s3/s3-blob-store.ts';
export type { S3Location } from './s3/s3-bucket.ts';
export { OffsetConflict } from './offset-conflict.ts';
