import { Readable } from 'node:stream';
import type { RobotPrincipal } from '@vic/authz';
import type { BlobStore } from '@vic/blob';
import { isVicError, VicError } from '@vic/errors';
import { isContentDigest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import type { Projects } from '@vic/projects';
import type { Actor, RepositoryPlace, RepositoryStore } from '@vic/repositories';
import type { LocalArtifacts } from './local-artifacts.ts';
import type {
  PeerBlob,
  PeerManifest,
  PeerManifestHead,
  PeerReading,
  PeerTag,
  ReplicationPeer,
} from './replication-peer.ts';

/** What this registry's end of a replication works on. */
export interface LocalPeerDeps {
  readonly repositories: Pick<
    RepositoryStore,
    | 'admitBlob'
    | 'deleteArtifact'
    | 'deleteTag'
    | 'findBlob'
    | 'getManifest'
    | 'linkBlob'
    | 'listCatalog'
    | 'listReferrers'
    | 'mountBlob'
    | 'putManifest'
    | 'resolve'
  >;
  readonly blobs: Pick<BlobStore, 'put' | 'read'>;
  readonly projects: Pick<Projects, 'create' | 'findByName'>;
  readonly artifacts: LocalArtifacts;
}

/** Whom changes made by replication are recorded as. */
const REPLICATION_PRINCIPAL: RobotPrincipal = {
  kind: 'robot',
  id: 0,
  name: 'replication',
  grants: [
    {
      scope: { kind: 'project', project: '*' },
      permissions: [
        { resource: 'repository', action: 'pull' },
        { resource: 'repository', action: 'push' },
        { resource: 'artifact', action: 'delete' },
        { resource: 'tag', action: 'delete' },
      ],
    },
  ],
};

const PAGE = 500;

/** This registry as one end of a replication. */
export class LocalPeer implements ReplicationPeer {
  readonly name = 'this registry';
  readonly #deps: LocalPeerDeps;
  readonly #actor: Actor;

  /** `replicatedFrom` is the host that changes made through this peer come from. */
  constructor(deps: LocalPeerDeps, replicatedFrom?: string) {
    this.#deps = deps;
    this.#actor = { principal: REPLICATION_PRINCIPAL, ...(replicatedFrom === undefined ? {} : { replicatedFrom }) };
  }

  async *listRepositories(_pattern: string, _signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    let after: string | undefined;
    for (;;) {
      const names = await this.#deps.repositories.listCatalog('all', { after, limit: PAGE });
      yield* names;
      after = names.at(-1);
      if (names.length < PAGE) return;
    }
  }

  async *listTags(repository: string, _signal: AbortSignal): AsyncGenerator<PeerTag, void, undefined> {
    for (let after = ''; ;) {
      const tags = await this.#deps.artifacts.tagsAfter(repository, after, PAGE);
      yield* tags;
      after = tags.at(-1)?.name ?? after;
      if (tags.length < PAGE) return;
    }
  }

  async *listUntagged(repository: string, _signal: AbortSignal): AsyncGenerator<ContentDigest, void, undefined> {
    for (let after = 0; ;) {
      const artifacts = await this.#deps.artifacts.untaggedAfter(repository, after, PAGE);
      for (const { digest } of artifacts) yield digest;
      after = artifacts.at(-1)?.id ?? after;
      if (artifacts.length < PAGE) return;
    }
  }

  async head(repository: string, reference: string, _signal: AbortSignal): Promise<PeerManifestHead | undefined> {
    const artifact = await this.#deps.repositories.resolve(repository, reference);
    return artifact === undefined ? undefined : { digest: artifact.digest, mediaType: artifact.manifestMediaType };
  }

  async manifest(repository: string, reference: string, _signal: AbortSignal): Promise<PeerManifest> {
    const found = await this.#deps.repositories.getManifest(repository, reference);
    if (found === undefined) {
      throw new VicError({
        class: 'NotFound',
        code: 'REPLICATION_ARTIFACT_GONE',
        message: `${repository}:${reference} is not here any more.`,
      });
    }
    const { digest, mediaType, content } = found.manifest;
    return { digest, mediaType, bytes: content };
  }

  async listReferrers(repository: string, subject: ContentDigest, _signal: AbortSignal): Promise<ContentDigest[]> {
    return (await this.#deps.repositories.listReferrers(repository, subject)).map(({ digest }) => digest);
  }

  async labelsOf(repository: string, digest: ContentDigest, _signal: AbortSignal): Promise<string[] | undefined> {
    const artifact = await this.#deps.repositories.resolve(repository, digest);
    return artifact === undefined ? undefined : this.#deps.artifacts.labelsOf(artifact.id);
  }

  tagPushedAt(repository: string, tag: string, _signal: AbortSignal): Promise<number | undefined> {
    return this.#deps.artifacts.tagPushedAt(repository, tag);
  }

  async *readBlob(
    _repository: string,
    blob: { readonly digest: ContentDigest; readonly sizeBytes: number },
    reading: PeerReading,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const start = reading.from ?? 0;
    if (start > 0 && start >= blob.sizeBytes) return;
    const range = start === 0 ? undefined : { start, end: blob.sizeBytes - 1 };
    const content = await this.#deps.blobs.read(blob.digest, range);
    yield* reading.limit?.limit(content, reading.signal) ?? content;
  }

  async isPublic(repository: string, _signal: AbortSignal): Promise<boolean | undefined> {
    return (await this.#deps.projects.findByName(projectNameOf(repository)))?.public;
  }

  async prepare(repository: string, options: { readonly isPublic: boolean }, _signal: AbortSignal): Promise<void> {
    const name = projectNameOf(repository);
    if ((await this.#deps.projects.findByName(name)) !== undefined) return;
    try {
      await this.#deps.projects.create({ name, metadata: { public: String(options.isPublic) } }, REPLICATION_PRINCIPAL);
    } catch (error) {
      if (!isVicError(error, { class: 'AlreadyExists' })) throw error;
    }
  }

  async writeBlob(
    repository: string,
    blob: PeerBlob,
    signal: AbortSignal,
  ): Promise<'present' | 'mounted' | 'uploaded'> {
    const { repositories, blobs } = this.#deps;
    const { digest, sizeBytes } = blob;
    if ((await repositories.findBlob(repository, digest)) !== undefined) return 'present';
    const place = await this.#place(repository);
    const source = { digest, from: undefined, mayPull: async () => true };
    if ((await repositories.mountBlob(place, this.#actor, source)) !== undefined) return 'mounted';
    await repositories.admitBlob(place, this.#actor, { digest, sizeBytes });
    const stored = await blobs.put(digest, Readable.from(blob.open(0)), signal);
    await repositories.linkBlob(place, { digest, sizeBytes: stored.sizeBytes });
    return 'uploaded';
  }

  async putManifest(
    repository: string,
    reference: string,
    manifest: PeerManifest,
    _signal: AbortSignal,
  ): Promise<void> {
    await this.#deps.repositories.putManifest(await this.#place(repository), this.#actor, {
      content: manifest.bytes,
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      tags: isContentDigest(reference) ? [] : [reference],
    });
  }

  async deleteTag(repository: string, tag: string, _signal: AbortSignal): Promise<boolean> {
    const place = await this.#place(repository);
    return this.#unlessGone(async () => this.#deps.repositories.deleteTag(place, this.#actor, tag));
  }

  async deleteArtifact(repository: string, digest: ContentDigest, _signal: AbortSignal): Promise<boolean> {
    const place = await this.#place(repository);
    return this.#unlessGone(async () => this.#deps.repositories.deleteArtifact(place, this.#actor, digest));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What it works on belongs to the program.
  }

  async #unlessGone(operation: () => Promise<void>): Promise<boolean> {
    try {
      await operation();
      return true;
    } catch (error) {
      if (isVicError(error, { class: 'NotFound' })) return false;
      throw error;
    }
  }

  async #place(repository: string): Promise<RepositoryPlace> {
    const name = projectNameOf(repository);
    const project = await this.#deps.projects.findByName(name);
    if (project !== undefined) return { project, repository };
    throw new VicError({ class: 'NotFound', code: 'PROJECT_NOT_FOUND', message: `project ${name} not found` });
  }
}

function projectNameOf(repository: string): string {
  return repository.split('/')[0] ?? '';
}
