export { RegistryClient } from './registry-client.ts';
export type { BlobOptions, RegistryClientOptions, ResolveOptions, ResolvedImage } from './registry-client.ts';
export type { RegistryCredentials } from '@vic/registry-client';
export { verifiedStream } from '@vic/registry-client';
export { decompressLayer } from './decompress-layer.ts';
export type { LayerStatus, PullEvent, PullProgress } from './progress.ts';
