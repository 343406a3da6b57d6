export {
  algorithmOf,
  hexOf,
  contentDigestOf,
  digestOfBytes,
  isContentDigest,
  isDigest,
  parseContentDigest,
} from './digest.ts';
export type { ContentDigest, Digest, DigestAlgorithm } from './digest.ts';
export {
  canonicalReference,
  familiarReference,
  isRepositoryName,
  isTagName,
  parseReference,
  withTag,
} from './reference.ts';
export type { ImageReference } from './reference.ts';
export { ACCEPTED_MANIFEST_TYPES, MEDIA_TYPES, isIndexType } from './media-types.ts';
export type { LayerCompression } from './media-types.ts';
export { MAX_MANIFEST_BYTES, parseIndex, parseManifest } from './manifest.ts';
export type { Descriptor, IndexEntry, ImageIndex, ImageManifest } from './manifest.ts';
export { parseRegistryManifest } from './registry-manifest.ts';
export type { ContentDescriptor, RegistryManifest } from './registry-manifest.ts';
export { MAX_CONFIG_BYTES, parseImageConfig } from './image-config.ts';
export type { ContainerDefaults, Healthcheck, HistoryEntry, ImageConfig } from './image-config.ts';
export { parsePlatform, selectPlatform } from './platform.ts';
export type { Platform } from './platform.ts';
export { chainIds } from './chain-id.ts';
export type { ChainId } from './chain-id.ts';
export {
  CONTAINER_FS_LABEL,
  GPT_ALIGNMENT_BYTES,
  SECTOR_BYTES,
  containerFsPartition,
  encodePartitionTable,
  layerPartition,
  parsePartitionTable,
} from './layer-disk.ts';
export type { Partition, PartitionTable } from './layer-disk.ts';
