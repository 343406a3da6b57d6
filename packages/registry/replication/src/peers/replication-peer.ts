import type { ContentDigest } from '@vic/oci';
import type { BandwidthLimit } from '@vic/registry-client';

/** A manifest's identity. */
export interface PeerManifestHead {
  readonly digest: ContentDigest;
  readonly mediaType: string;
}

/** A manifest's exact bytes. */
export interface PeerManifest extends PeerManifestHead {
  readonly bytes: Uint8Array;
}

/** A tag of a repository. */
export interface PeerTag {
  readonly name: string;
  /** What it names, where the list tells it. */
  readonly digest?: ContentDigest;
  /** Labels of its artifact, where the list tells them. */
  readonly labels?: readonly string[];
}

/** How content is read. */
export interface PeerReading {
  readonly signal: AbortSignal;
  /** The first byte wanted; 0 when absent. */
  readonly from?: number;
  readonly limit?: BandwidthLimit;
}

/** A blob on its way to a peer. */
export interface PeerBlob {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
  /** Opens the content from a byte on. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  readonly chunkBytes?: number;
}

/**
 * One end of a replication: this registry or another. Names are repositories with their project
 * (`library/busybox`).
 */
export interface ReplicationPeer extends AsyncDisposable {
  /** For messages: the endpoint's name, or `this registry`. */
  readonly name: string;

  /** Every repository whose name may match `pattern`; the caller filters. */
  listRepositories(pattern: string, signal: AbortSignal): AsyncIterable<string>;
  listTags(repository: string, signal: AbortSignal): AsyncIterable<PeerTag>;
  /** Digests of artifacts without a tag that are nobody's child or accessory; empty where that cannot be told. */
  listUntagged(repository: string, signal: AbortSignal): AsyncIterable<ContentDigest>;
  head(repository: string, reference: string, signal: AbortSignal): Promise<PeerManifestHead | undefined>;
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<PeerManifest>;
  listReferrers(repository: string, subject: ContentDigest, signal: AbortSignal): Promise<readonly ContentDigest[]>;
  /** Labels of an artifact; `undefined` where there is no such thing. */
  labelsOf(repository: string, digest: ContentDigest, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** When a tag was last moved; `undefined` where that cannot be told. */
  tagPushedAt(repository: string, tag: string, signal: AbortSignal): Promise<number | undefined>;
  readBlob(
    repository: string,
    blob: { readonly digest: ContentDigest; readonly sizeBytes: number },
    reading: PeerReading,
  ): AsyncIterable<Uint8Array>;

  /** Whether a repository's project is public; `undefined` where there is no such thing. */
  isPublic(repository: string, signal: AbortSignal): Promise<boolean | undefined>;
  /** Makes the project of a repository when it is not there. */
  prepare(repository: string, options: { readonly isPublic: boolean }, signal: AbortSignal): Promise<void>;
  writeBlob(repository: string, blob: PeerBlob, signal: AbortSignal): Promise<'present' | 'mounted' | 'uploaded'>;
  putManifest(repository: string, reference: string, manifest: PeerManifest, signal: AbortSignal): Promise<void>;
  /** Removes only the tag; gives whether it was there. */
  deleteTag(repository: string, tag: string, signal: AbortSignal): Promise<boolean>;
  /** Removes an artifact with its tags; gives whether it was there. */
  deleteArtifact(repository: string, digest: ContentDigest, signal: AbortSignal): Promise<boolean>;
}
