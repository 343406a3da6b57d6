export { RegistryClient } from './registry-client.ts';
export type { BlobOptions, RegistryClientOptions, ResolveOptions, ResolvedImage } from './registry-client.ts';
export type { RegistryCredentials } from './credentials.ts';
export { decompressLayer, verifiedStream } from './verified-stream.ts';
export type { LayerStatus, PullEvent, PullProgress } from './progress.ts';
export { parseChallenge } from './challenge.ts';
export type { Challenge } from './challenge.ts';
