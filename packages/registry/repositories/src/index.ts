export type {
  Actor,
  ArtifactDeleteSubject,
  ArtifactGate,
  BlobSubject,
  GateSubject,
  PullSubject,
  PushSubject,
  RepositoryPlace,
  TagDeleteSubject,
} from './artifact-gate.ts';
export type {
  AccessoryType,
  Artifact,
  ArtifactReference,
  Referrer,
  Repository,
  StoredManifest,
  Tag,
} from './artifact.ts';
export { RepositoryStore } from './repository-store.ts';
export type { RepositoryStoreOptions } from './repository-store.ts';
export type { BlobContent } from './config-attributes.ts';
export type { KeysetPage } from './keyset-page.ts';
export type { LinkedBlob, MountSource } from './blob-links.ts';
export type { NewManifest, PutManifestResult } from './put-manifest.ts';
export type { ServedManifest } from './find-manifest.ts';
export type { DeletionOutcome, JudgedArtifact } from './delete-artifact.ts';
export type { CopySource } from './copy-artifact.ts';
export { MissingContent } from './missing-content.ts';
export type { SparsePolicy } from './missing-content.ts';
export {
  adoptBlob,
  condemnBlobs,
  condemnedBlobs,
  expireLinks,
  forgetBlob,
  removeUnusedManifests,
} from './blob-claims.ts';
export type { BlobState, CondemnedBlob } from './blob-claims.ts';
