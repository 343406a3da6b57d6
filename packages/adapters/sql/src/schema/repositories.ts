import type { Generated } from 'kysely';

/** A repository: made by the first blob that comes, listed from its first manifest on, gone only when deleted. */
export interface RepositoriesTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  /** With the project: `library/busybox`. */
  readonly name: string;
  description: string;
  /** Pulls of its manifests, folded: behind by the pull accounting's interval. */
  pull_count: number;
  readonly created_at_ms: number;
  /** When the description was last changed; pushes do not touch this row. */
  updated_at_ms: number;
  /** 0 until its first manifest: a push that was broken off or refused leaves nothing to be seen. */
  listed: Generated<number>;
}

/** The bytes of a manifest; one row for all repositories that have it. */
export interface ManifestsTable {
  readonly digest: string;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly content: Uint8Array;
  /** When a repository last got it; younger rows without artifacts are left alone by the collector. */
  claimed_at_ms: number;
}

/** One manifest in one repository. */
export interface ArtifactsTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  readonly repository_id: number;
  readonly digest: string;
  /** `IMAGE`, `CHART`, `SIGNATURE` … as the REST API shows it. */
  readonly type: string;
  /** Of the configuration; of the manifest itself for an index. */
  readonly media_type: string;
  readonly manifest_media_type: string;
  /** The manifest's `artifactType`, else its configuration's media type. */
  readonly artifact_type: string;
  /** Of the manifest and everything that it references. */
  readonly size_bytes: number;
  /** What it belongs to: its `subject`, or, for cosign's tags, the digest in its tag. */
  subject_digest: string | null;
  /** `declared` by the manifest's `subject` field, or known from its `tag`. */
  subject_origin: 'declared' | 'tag' | null;
  /** `signature.cosign`, `signature.notation`, `sbom.harbor`, `subject.accessory`; null without a subject. */
  accessory_type: string | null;
  /** JSON object: architecture, os, created, author, config … */
  extra_attrs: string;
  /** JSON object of strings; the manifest's. */
  annotations: string;
  pushed_at_ms: number;
  /** Null until the first pull. */
  pulled_at_ms: number | null;
}

/** A name for an artifact of the same repository. */
export interface TagsTable {
  readonly id: Generated<number>;
  readonly repository_id: number;
  artifact_id: number;
  readonly name: string;
  pushed_at_ms: number;
  pulled_at_ms: number | null;
}

/** The manifests an index lists, whether they are there (sparse indexes list absent ones) or not. */
export interface ArtifactReferencesTable {
  /** The index. */
  readonly parent_id: number;
  readonly repository_id: number;
  readonly child_digest: string;
  /** In the order of the index. */
  readonly position: number;
  readonly media_type: string;
  readonly size_bytes: number;
  /** JSON object, or null when the entry has none. */
  readonly platform: string | null;
  /** JSON object of strings. */
  readonly annotations: string;
}

/** The blobs a manifest needs: configuration and layers. */
export interface ArtifactBlobsTable {
  readonly artifact_id: number;
  readonly repository_id: number;
  readonly digest: string;
}

/** A blob the store has, or that the collector is about to remove. */
export interface BlobsTable {
  readonly digest: string;
  readonly size_bytes: number;
  /** `condemned`: seen as missing by everybody until the collector has removed it and its row. */
  state: 'live' | 'condemned';
  /** When a repository last asked to keep it; see `claimBlob`. */
  claimed_at_ms: number;
  condemned_at_ms: number | null;
}

/** Which repository may serve which blob. */
export interface RepositoryBlobsTable {
  readonly repository_id: number;
  readonly project_id: number;
  readonly digest: string;
  readonly size_bytes: number;
  /** As a manifest of the repository names it; null until one does. */
  media_type: string | null;
  /** When a client last was told that it is there; see `expireLinks`. */
  touched_at_ms: number;
}

/** What counts once for a project's storage: its blobs and manifests. */
export interface ProjectContentTable {
  readonly project_id: number;
  readonly digest: string;
  readonly size_bytes: number;
}

/** Changes of a project's storage that are not folded yet. */
export interface UsageDeltasTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  readonly delta_bytes: number;
}

/** The folded part of a project's storage; the deltas come on top. */
export interface ProjectUsageTable {
  readonly project_id: number;
  used_bytes: number;
}

/** The tables of `repositories`. */
export interface RepositoriesTables {
  repositories: RepositoriesTable;
  manifests: ManifestsTable;
  artifacts: ArtifactsTable;
  tags: TagsTable;
  artifact_references: ArtifactReferencesTable;
  artifact_blobs: ArtifactBlobsTable;
  blobs: BlobsTable;
  repository_blobs: RepositoryBlobsTable;
  project_content: ProjectContentTable;
  usage_deltas: UsageDeltasTable;
  project_usage: ProjectUsageTable;
}
