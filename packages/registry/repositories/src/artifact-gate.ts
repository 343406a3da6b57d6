import type { Principal, ProjectIdentity } from '@vic/authz';
import type { ContentDigest } from '@vic/oci';
import type { Artifact } from './artifact.ts';

/** Who does something, and how. */
export interface Actor {
  readonly principal: Principal;
  readonly userAgent?: string;
  /** The address of the client. */
  readonly address?: string;
  /** The endpoint a replication copies from; changes made by it say so in their events. */
  readonly replicatedFrom?: string;
  /** Why a policy is passed by, for the audit log; set by the policy's package only. */
  readonly breakGlass?: string;
}

/** Where something happens: a repository that need not exist yet. */
export interface RepositoryPlace {
  readonly project: ProjectIdentity;
  /** With the project: `library/busybox`. */
  readonly repository: string;
}

/** What every gate is told. */
export interface GateSubject extends RepositoryPlace {
  readonly actor: Actor;
}

/** A manifest about to be served. */
export interface PullSubject extends GateSubject {
  readonly artifact: Artifact;
  /** The tag it was asked by; absent when by digest. */
  readonly tag?: string;
}

/** A manifest about to be stored. */
export interface PushSubject extends GateSubject {
  readonly digest: ContentDigest;
  /** The tags that will point to it; empty when pushed by digest. */
  readonly tags: readonly string[];
  readonly mediaType: string;
  readonly artifactType: string;
  /** What it will belong to. */
  readonly subject: ContentDigest | undefined;
  /** What the project's storage will grow by; 0 when the project has it already. */
  readonly sizeBytesToAdd: number;
}

/** A tag about to be removed, or about to be moved away by the REST API. */
export interface TagDeleteSubject extends GateSubject {
  readonly artifact: Artifact;
  readonly tag: string;
}

/** An artifact about to be deleted with all its tags. */
export interface ArtifactDeleteSubject extends GateSubject {
  readonly artifact: Artifact;
  readonly tags: readonly string[];
}

/** A blob about to be accepted into a repository. */
export interface BlobSubject extends GateSubject {
  /** Absent while an upload's digest is not known yet. */
  readonly digest: ContentDigest | undefined;
  /** What the project's storage will grow by; 0 when the project has it already. */
  readonly sizeBytesToAdd: number;
}

/** A policy that may refuse what is done with artifacts, by throwing a `VicError`. */
export interface ArtifactGate {
  /** For metrics and logs. */
  readonly name: string;
  beforePull?(subject: PullSubject): Promise<void>;
  beforePush?(subject: PushSubject): Promise<void>;
  beforeTagDelete?(subject: TagDeleteSubject): Promise<void>;
  beforeArtifactDelete?(subject: ArtifactDeleteSubject): Promise<void>;
  beforeBlob?(subject: BlobSubject): Promise<void>;
}
