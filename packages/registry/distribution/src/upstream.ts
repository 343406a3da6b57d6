import type { Readable } from 'node:stream';
import type { ProjectIdentity } from '@vic/authz';
import type { ContentDigest } from '@vic/oci';
import type { Actor, Referrer, ServedManifest } from '@vic/repositories';

/** Where a pull through a proxy-cache project goes. */
export interface UpstreamPlace {
  readonly project: ProjectIdentity;
  /** With the project: `hub/library/busybox`. */
  readonly repository: string;
  readonly actor: Actor;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

/** A manifest that upstream has and that is stored in the project now. */
export interface UpstreamManifest {
  /** What to serve; it went through the gates. */
  readonly served: ServedManifest;
  /** A `Warning` header's value when the copy may be stale: upstream is down or limits. */
  readonly warning?: string;
}

/** A blob from upstream, stored while it is streamed. */
export interface UpstreamBlob {
  readonly sizeBytes: number;
  /** The whole content; verified while it streams. */
  readonly content: Readable;
}

/**
 * Proxy-cache projects; implemented by replication.
 *
 * `undefined` means that upstream has no such thing; errors (`RateLimited`, `Unavailable`) become the answer.
 */
export interface Upstream {
  /** Whether the project is a proxy cache at all. */
  isProxy(project: ProjectIdentity): Promise<boolean>;
  /** Fresh by digest; `head` fetches nothing that a HEAD does not need, and is not counted as a pull. */
  manifest(
    place: UpstreamPlace,
    wanted: { readonly reference: string; readonly accept: readonly string[]; readonly head: boolean },
  ): Promise<UpstreamManifest | undefined>;
  /** Called when the project has no such blob yet. */
  blob(place: UpstreamPlace, digest: ContentDigest): Promise<UpstreamBlob | undefined>;
  /** The size only, for HEAD. */
  blobSize(place: UpstreamPlace, digest: ContentDigest): Promise<number | undefined>;
  tags(
    place: UpstreamPlace,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly string[] | undefined>;
  referrers(
    place: UpstreamPlace,
    subject: ContentDigest,
    artifactType?: string,
  ): Promise<readonly Referrer[] | undefined>;
}
