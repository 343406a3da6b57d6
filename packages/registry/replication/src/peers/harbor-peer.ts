import { isContentDigest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import type { RegistryConnection } from '@vic/registry-client';
import { literalRepositories } from '../policies/literal-repositories.ts';
import { DistributionPeer } from './distribution-peer.ts';
import type { HarborApi } from './harbor-api.ts';
import type { PeerTag } from './replication-peer.ts';

/** Another registry with projects, labels and Harbor's REST API: Harbor itself, or one of ours. */
export class HarborPeer extends DistributionPeer {
  readonly #api: HarborApi;
  /** Whether tags are deleted by the distribution protocol, which carries the origin of the deletion. */
  readonly #deletesTags: boolean;

  constructor(
    name: string,
    connection: RegistryConnection,
    options: { readonly api: HarborApi; readonly deletesTags: boolean },
  ) {
    super(name, connection, { hasCatalog: true });
    this.#api = options.api;
    this.#deletesTags = options.deletesTags;
  }

  override async *listRepositories(pattern: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const named = literalRepositories(pattern);
    if (named !== undefined) return yield* named;
    const project = pattern.split('/')[0] ?? '';
    const projects = pattern.includes('/') ? literalRepositories(project) : undefined;
    for await (const name of projects ?? this.#api.listProjects(signal)) {
      yield* this.#api.listRepositories(name, signal);
    }
  }

  override async *listTags(repository: string, signal: AbortSignal): AsyncGenerator<PeerTag, void, undefined> {
    let listed = false;
    for await (const { digest, tags, labels } of this.#api.listArtifacts(repository, signal)) {
      listed = true;
      for (const name of tags) yield { name, labels, ...(isContentDigest(digest) ? { digest } : {}) };
    }
    // Without the right to use the API, what may be pulled can still be listed.
    if (!listed) yield* super.listTags(repository, signal);
  }

  override async *listUntagged(
    repository?: string,
    signal?: AbortSignal,
  ): AsyncGenerator<ContentDigest, void, undefined> {
    if (repository === undefined || signal === undefined) return;
    for await (const { digest, tags } of this.#api.listArtifacts(repository, signal)) {
      if (tags.length === 0 && isContentDigest(digest)) yield digest;
    }
  }

  override async labelsOf(
    repository: string,
    digest: ContentDigest,
    signal: AbortSignal,
  ): Promise<string[] | undefined> {
    const artifact = await this.#api.artifact(repository, digest, signal);
    return artifact === undefined ? undefined : [...artifact.labels];
  }

  override tagPushedAt(repository: string, tag: string, signal: AbortSignal): Promise<number | undefined> {
    return this.#api.tagPushedAt(repository, tag, signal);
  }

  override isPublic(repository: string, signal: AbortSignal): Promise<boolean | undefined> {
    return this.#api.isPublic(repository.split('/')[0] ?? '', signal);
  }

  override async prepare(
    repository: string,
    options: { readonly isPublic: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const project = repository.split('/')[0] ?? '';
    if ((await this.#api.isPublic(project, signal)) !== undefined) return;
    await this.#api.createProject(project, options.isPublic, signal);
  }

  override async deleteTag(repository: string, tag: string, signal: AbortSignal): Promise<boolean> {
    return this.#deletesTags ? super.deleteTag(repository, tag, signal) : this.#api.deleteTag(repository, tag, signal);
  }
}
