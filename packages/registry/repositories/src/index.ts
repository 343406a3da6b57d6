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
export type { KeysetPage, LinkedBlob, NewManifest, PutManifestResult, ServedManifest } from './repository-store.ts';
