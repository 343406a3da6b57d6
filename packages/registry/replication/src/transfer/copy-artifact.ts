import { mapLimit } from '@vic/async';
import { VicError } from '@vic/errors';
import { parseRegistryManifest } from '@vic/oci';
import type { ContentDescriptor, ContentDigest, RegistryManifest } from '@vic/oci';
import type { BandwidthLimit } from '@vic/registry-client';
import type { PeerManifest, ReplicationPeer } from '../peers/replication-peer.ts';

/** From where to where, and how. */
export interface TransferRoute {
  readonly source: ReplicationPeer;
  readonly sourceRepository: string;
  readonly target: ReplicationPeer;
  readonly targetRepository: string;
  readonly limit?: BandwidthLimit | undefined;
  readonly chunkBytes?: number | undefined;
  readonly signal: AbortSignal;
  /** Told, in one sentence, what was done. */
  readonly tell: (what: string) => void;
}

/** What a copy brought over. */
export interface TransferTotals {
  manifests: number;
  blobs: number;
  bytes: number;
}

/** Tags under which cosign keeps what belongs to the digest in their name. */
const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'] as const;
/** Blobs of one manifest under way at the same time. */
const PARALLEL_BLOBS = 3;
/** An index of indexes, a signature of a signature: far below any stack. */
const MAX_DEPTH = 16;

/** Whether the tag is not a name of its own: a list of referrers, or what cosign keeps about a digest. */
export function isAccessoryTag(tag: string): boolean {
  return /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{121,128})(?:\.[a-z]+)?$/.test(tag);
}

/** Copies artifacts with their children, blobs, signatures, SBOMs and whatever else refers to them. */
export class ArtifactCopier {
  readonly #route: TransferRoute;
  readonly #visited = new Set<string>();
  readonly totals: TransferTotals = { manifests: 0, blobs: 0, bytes: 0 };

  constructor(route: TransferRoute) {
    this.#route = route;
  }

  /** Copies what a digest names and everything that belongs to it; with a tag, that names it there, too. */
  async copy(digest: ContentDigest, tag: string | undefined): Promise<void> {
    await this.#copyTree(digest, tag, 0);
  }

  async #copyTree(digest: ContentDigest, tag: string | undefined, depth: number): Promise<void> {
    const { source, sourceRepository, target, targetRepository, signal } = this.#route;
    if (depth > MAX_DEPTH) throw tooDeep(digest);
    const known = this.#visited.has(digest);
    this.#visited.add(digest);
    const there = await target.head(targetRepository, tag ?? digest, signal);
    if (there?.digest !== digest) {
      const manifest = await source.manifest(sourceRepository, digest, signal);
      await this.#copyContent(manifest, depth);
      await target.putManifest(targetRepository, tag ?? digest, manifest, signal);
      this.totals.manifests++;
      this.#route.tell(`Copied ${targetRepository}${tag === undefined ? `@${digest}` : `:${tag} (${digest})`}.`);
    } else if (!known) await this.#copyChildAccessories(digest, depth);
    if (!known) await this.#copyAccessories(digest, depth);
  }

  async #copyContent(manifest: PeerManifest, depth: number): Promise<void> {
    const { source, sourceRepository, target, targetRepository, signal } = this.#route;
    // A manifest that is there under its digest is there with its content: registries check before they accept it.
    const document = parseRegistryManifest(manifest.bytes, manifest.mediaType);
    if ((await target.head(targetRepository, manifest.digest, signal)) === undefined) {
      await mapLimit(blobsOf(document), PARALLEL_BLOBS, async (blob) => this.#copyBlob(blob));
    }
    for (const child of document.manifests) {
      // An index may list what its repository does not have.
      if ((await source.head(sourceRepository, child.digest, signal)) === undefined) continue;
      await this.#copyTree(child.digest, undefined, depth + 1);
    }
  }

  /** The index is there; what was signed since may be one of its members. */
  async #copyChildAccessories(digest: ContentDigest, depth: number): Promise<void> {
    const { source, sourceRepository, signal } = this.#route;
    const head = await source.head(sourceRepository, digest, signal);
    if (head === undefined || !/index|list/.test(head.mediaType)) return;
    const manifest = await source.manifest(sourceRepository, digest, signal);
    const { manifests } = parseRegistryManifest(manifest.bytes, manifest.mediaType);
    for (const child of manifests) {
      if (this.#visited.has(child.digest)) continue;
      this.#visited.add(child.digest);
      await this.#copyAccessories(child.digest, depth + 1);
    }
  }

  async #copyAccessories(digest: ContentDigest, depth: number): Promise<void> {
    const { source, sourceRepository, signal } = this.#route;
    for (const referrer of await source.listReferrers(sourceRepository, digest, signal)) {
      if (!this.#visited.has(referrer)) await this.#copyTree(referrer, undefined, depth + 1);
    }
    for (const suffix of COSIGN_SUFFIXES) {
      const tag = `${digest.replace(':', '-')}.${suffix}`;
      const accessory = await source.head(sourceRepository, tag, signal);
      if (accessory !== undefined) await this.#copyTree(accessory.digest, tag, depth + 1);
    }
  }

  async #copyBlob(blob: ContentDescriptor): Promise<void> {
    const { source, sourceRepository, target, targetRepository, limit, chunkBytes, signal } = this.#route;
    const outcome = await target.writeBlob(
      targetRepository,
      {
        digest: blob.digest,
        sizeBytes: blob.sizeBytes,
        open: (from) =>
          source.readBlob(sourceRepository, blob, { from, signal, ...(limit === undefined ? {} : { limit }) }),
        ...(chunkBytes === undefined ? {} : { chunkBytes }),
      },
      signal,
    );
    if (outcome !== 'uploaded') return;
    this.totals.blobs++;
    this.totals.bytes += blob.sizeBytes;
  }
}

function blobsOf(document: RegistryManifest): readonly ContentDescriptor[] {
  const all = [...(document.config === undefined ? [] : [document.config]), ...document.layers];
  const unique = new Map(all.filter(({ external }) => !external).map((blob) => [blob.digest, blob]));
  return [...unique.values()];
}

function tooDeep(digest: ContentDigest): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REPLICATION_TOO_DEEP',
    message: `${digest} is nested more than ${MAX_DEPTH} levels deep.`,
  });
}
