import type { ContentDigest } from '@vic/oci';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import type { Artifact, ArtifactReference, Referrer, Repository, StoredManifest, Tag } from './artifact.ts';

/** A page of a list in the order of its key. */
export interface KeysetPage {
  /** Entries after this key; from the beginning when absent. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A manifest as a client sent it. */
export interface NewManifest {
  readonly content: Uint8Array;
  /** The request's content type. */
  readonly mediaType: string;
  /** The digest the client named it by, else its sha256. */
  readonly digest: ContentDigest;
  /** Tags to point to it. */
  readonly tags: readonly string[];
}

/** What {@link RepositoryStore.putManifest} did. */
export interface PutManifestResult {
  readonly artifact: Artifact;
  /** Whether the artifact is new or a tag moved to it. */
  readonly changed: boolean;
}

/** A manifest that is served. */
export interface ServedManifest {
  readonly artifact: Artifact;
  readonly manifest: StoredManifest;
  /** The tag it was asked by. */
  readonly tag: string | undefined;
}

/** A blob that a repository may serve. */
export interface LinkedBlob {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
}

/** Everything that was pushed, by repository. Operations that change something run the gates first. */
export declare class RepositoryStore implements AsyncDisposable {
  findRepository(name: string): Promise<Repository | undefined>;
  /** By name. */
  listRepositories(projectId: number, page: KeysetPage): Promise<readonly Repository[]>;
  countRepositories(projectId: number): Promise<number>;
  /** Names of repositories of these projects, or of all. */
  listCatalog(projectIds: readonly number[] | 'all', page: KeysetPage): Promise<readonly string[]>;
  createRepository(place: RepositoryPlace): Promise<Repository>;
  describeRepository(name: string, description: string): Promise<void>;
  /** With everything in it; gates are asked about each artifact first. */
  deleteRepository(place: RepositoryPlace, actor: Actor): Promise<void>;

  /** The artifact of a tag or digest. */
  resolve(repository: string, reference: string): Promise<Artifact | undefined>;
  listArtifacts(
    repositoryId: number,
    page: { readonly afterId?: number; readonly limit: number },
  ): Promise<readonly Artifact[]>;
  tagsOf(artifactId: number): Promise<readonly Tag[]>;
  listReferences(artifactId: number): Promise<readonly ArtifactReference[]>;
  listTags(repository: string, page: KeysetPage): Promise<readonly string[]>;
  listReferrers(repository: string, subject: ContentDigest, artifactType?: string): Promise<readonly Referrer[]>;

  /** Without gates and accounting, for the registry's own use. */
  getManifest(repository: string, reference: string): Promise<ServedManifest | undefined>;
  /** As a client pulls it: through the gates; counted unless `counted` is false (HEAD). */
  pullManifest(
    place: RepositoryPlace,
    actor: Actor,
    wanted: { readonly reference: string; readonly counted: boolean },
  ): Promise<ServedManifest | undefined>;
  putManifest(place: RepositoryPlace, actor: Actor, manifest: NewManifest): Promise<PutManifestResult>;
  /** With its tags and accessories; 412 while an index lists it. */
  deleteArtifact(place: RepositoryPlace, actor: Actor, reference: string): Promise<void>;
  createTag(
    place: RepositoryPlace,
    actor: Actor,
    tag: { readonly name: string; readonly reference: string },
  ): Promise<Tag>;
  /** Only the tag. */
  deleteTag(place: RepositoryPlace, actor: Actor, name: string): Promise<void>;
  /** Into `place`, with children, accessories and, when named by tag, that tag. */
  copyArtifact(
    place: RepositoryPlace,
    actor: Actor,
    source: { readonly repository: string; readonly reference: string },
  ): Promise<Artifact>;

  /** A blob the repository may serve; its link is kept fresh, so that a manifest can follow. */
  findBlob(repository: string, digest: ContentDigest): Promise<LinkedBlob | undefined>;
  /** Asks the gates whether a blob may come; `digest` is absent while it is not known. */
  admitBlob(
    place: RepositoryPlace,
    actor: Actor,
    blob: { readonly digest: ContentDigest | undefined; readonly sizeBytes: number },
  ): Promise<void>;
  /** Says that a blob, which the blob store has, belongs to the repository; makes the repository when needed. */
  linkBlob(place: RepositoryPlace, blob: LinkedBlob): Promise<void>;
  /** Links a blob of another repository (of any that `maySee` says the caller may pull, without one). */
  mountBlob(
    place: RepositoryPlace,
    actor: Actor,
    source: {
      readonly digest: ContentDigest;
      readonly from: string | undefined;
      readonly mayPull: (repository: string) => Promise<boolean>;
    },
  ): Promise<LinkedBlob | undefined>;
  /** Only the link; the collector removes the blob. */
  unlinkBlob(place: RepositoryPlace, digest: ContentDigest): Promise<boolean>;

  /** Bytes of the unique blobs and manifests of a project, exactly. */
  usageOf(projectId: number): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}
