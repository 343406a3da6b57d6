import { MEDIA_TYPES, parseRegistryManifest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { fallbackTag } from '@vic/registry-client';
import type { RegistryConnection, RemoteRegistry } from '@vic/registry-client';
import { isVicError, VicError } from '@vic/errors';
import { literalRepositories } from '../policies/literal-repositories.ts';
import type {
  PeerBlob,
  PeerManifest,
  PeerManifestHead,
  PeerReading,
  PeerTag,
  ReplicationPeer,
} from './replication-peer.ts';

/** A registry of which nothing is known but that it speaks the distribution protocol. */
export class DistributionPeer implements ReplicationPeer {
  readonly name: string;
  protected readonly registry: RemoteRegistry;
  readonly #connection: RegistryConnection;
  readonly #hasCatalog: boolean;

  constructor(name: string, connection: RegistryConnection, options: { readonly hasCatalog: boolean }) {
    this.name = name;
    this.registry = connection.registry;
    this.#connection = connection;
    this.#hasCatalog = options.hasCatalog;
  }

  async *listRepositories(pattern: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    // A catalogue may be long, closed or absent; a filter that names repositories needs none.
    const named = literalRepositories(pattern);
    if (named !== undefined) return yield* named;
    if (!this.#hasCatalog) {
      throw new VicError({
        class: 'NotSupported',
        code: 'REPLICATION_NO_CATALOG',
        message: `${this.name} has no list of its repositories, so the name filter "${pattern}" cannot be carried out.`,
        remedy: 'Name the repositories in the filter: "library/alpine" or "{library/alpine,library/nginx}".',
      });
    }
    yield* this.registry.listRepositories(signal);
  }

  async *listTags(repository: string, signal: AbortSignal): AsyncGenerator<PeerTag, void, undefined> {
    for await (const name of this.registry.listTags(repository, signal)) yield { name };
  }

  async *listUntagged(): AsyncGenerator<ContentDigest, void, undefined> {
    // The protocol has no list of manifests.
  }

  head(repository: string, reference: string, signal: AbortSignal): Promise<PeerManifestHead | undefined> {
    return this.registry.headManifest(repository, reference, signal).catch(absentWhenDenied);
  }

  manifest(repository: string, reference: string, signal: AbortSignal): Promise<PeerManifest> {
    return this.registry.getManifest(repository, reference, signal);
  }

  async listReferrers(repository: string, subject: ContentDigest, signal: AbortSignal): Promise<ContentDigest[]> {
    return (await this.registry.listReferrers(repository, subject, signal)).map(({ digest }) => digest);
  }

  labelsOf(_repository: string, _digest: ContentDigest, _signal: AbortSignal): Promise<string[] | undefined> {
    return Promise.resolve(undefined);
  }

  tagPushedAt(_repository: string, _tag: string, _signal: AbortSignal): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  readBlob(
    repository: string,
    blob: { readonly digest: ContentDigest; readonly sizeBytes: number },
    reading: PeerReading,
  ): AsyncIterable<Uint8Array> {
    return this.registry.readBlob(repository, blob, reading);
  }

  isPublic(_repository: string, _signal: AbortSignal): Promise<boolean | undefined> {
    return Promise.resolve(undefined);
  }

  async prepare(_repository: string, _options: { readonly isPublic: boolean }, _signal: AbortSignal): Promise<void> {
    // Repositories come into being with their first push.
  }

  writeBlob(repository: string, blob: PeerBlob, signal: AbortSignal): Promise<'present' | 'mounted' | 'uploaded'> {
    return this.registry.writeBlob(repository, blob, signal);
  }

  async putManifest(repository: string, reference: string, manifest: PeerManifest, signal: AbortSignal): Promise<void> {
    const { subjectKnown } = await this.registry.putManifest(repository, reference, manifest, signal);
    const { subject } = parseRegistryManifest(manifest.bytes, manifest.mediaType);
    if (subject !== undefined && !subjectKnown) await this.#listByTag(repository, subject.digest, manifest, signal);
  }

  async deleteTag(repository: string, tag: string, signal: AbortSignal): Promise<boolean> {
    return this.registry.deleteManifest(repository, tag, signal);
  }

  async deleteArtifact(repository: string, digest: ContentDigest, signal: AbortSignal): Promise<boolean> {
    return this.registry.deleteManifest(repository, digest, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  /** A registry without the referrers API: its clients find referrers in an index under a tag (distribution-spec). */
  async #listByTag(
    repository: string,
    subject: ContentDigest,
    manifest: PeerManifest,
    signal: AbortSignal,
  ): Promise<void> {
    const tag = fallbackTag(subject);
    const present = await this.registry.listReferrers(repository, subject, signal);
    if (present.some(({ digest }) => digest === manifest.digest)) return;
    const { artifactType, annotations } = parseRegistryManifest(manifest.bytes, manifest.mediaType);
    const entry = { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
    const manifests = [
      ...present.map(({ sizeBytes, ...rest }) => ({ ...rest, size: sizeBytes })),
      { ...entry, artifactType, annotations },
    ];
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
    const bytes = Buffer.from(JSON.stringify(index));
    await this.registry.putManifest(repository, tag, { bytes, mediaType: MEDIA_TYPES.ociIndex }, signal);
  }
}

/** Registries answer 401 or 403 for a repository that is not there yet; pushing tells the difference. */
function absentWhenDenied(error: unknown): undefined {
  if (isVicError(error, { code: 'REGISTRY_DENIED' })) return undefined;
  throw error;
}
