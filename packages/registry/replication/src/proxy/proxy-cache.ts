import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import type { ProjectIdentity } from '@vic/authz';
import type { BlobStore } from '@vic/blob';
import type { Upstream, UpstreamBlob, UpstreamManifest, UpstreamPlace } from '@vic/distribution';
import { VicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { ContentDigest } from '@vic/oci';
import type { Projects } from '@vic/projects';
import type { Referrer, RepositoryStore } from '@vic/repositories';
import type { Database } from '@vic/sql';
import type { RegistryEndpoints } from '../endpoints/registry-endpoints.ts';
import type { PeerFactory } from '../peers/peer-factory.ts';
import { BlobFetcher } from './blob-fetcher.ts';
import { CheckedReferences } from './checked-references.ts';
import { ManifestCache } from './manifest-cache.ts';
import { PROXY_ACTOR } from './proxy-actor.ts';
import { isUpstreamTrouble, upstreamError } from './proxy-errors.ts';
import { proxySettings, upstreamName } from './proxy-project.ts';
import type { ProxyPull } from './proxy-pull.ts';
import { UpstreamConnections } from './upstream-connections.ts';

/** What the proxy cache works with. */
export interface ProxyCacheDeps {
  readonly database: Database;
  readonly endpoints: Pick<RegistryEndpoints, 'find'>;
  readonly factory: Pick<PeerFactory, 'connect'>;
  readonly projects: Pick<Projects, 'findById'>;
  /** Must accept manifests whose blobs have not come yet (`sparse: 'all'`). */
  readonly repositories: RepositoryStore;
  readonly blobs: BlobStore;
  readonly logger: Logger;
}

/** How the proxy cache behaves. */
export interface ProxyCacheOptions {
  /** Where blobs are kept while they arrive. */
  readonly spoolDirectory: string;
  /** How long what the upstream said of a tag is taken as it is; 5 s when absent. */
  readonly freshMs?: number;
  /** How long a reference that was not there is not asked for again; 30 s when absent. */
  readonly negativeMs?: number;
}

const MAX_TAGS_LISTED = 100_000;

/** Proxy-cache projects: pulls go through to their upstream, and what came once is kept. */
export class ProxyCache implements Upstream, AsyncDisposable {
  readonly #deps: ProxyCacheDeps;
  readonly #upstreams: UpstreamConnections;
  readonly #fetcher: BlobFetcher;
  readonly #manifests: ManifestCache;

  constructor(deps: ProxyCacheDeps, options: ProxyCacheOptions) {
    this.#deps = deps;
    this.#upstreams = new UpstreamConnections(deps.factory);
    this.#fetcher = new BlobFetcher({ directory: options.spoolDirectory, logger: deps.logger });
    const { repositories, blobs } = deps;
    const references = new CheckedReferences(deps.database);
    this.#manifests = new ManifestCache({ repositories, blobs, references, upstreams: this.#upstreams }, options);
  }

  async isProxy(project: ProjectIdentity): Promise<boolean> {
    return (await this.#deps.projects.findById(project.id))?.registryId !== undefined;
  }

  async manifest(
    place: UpstreamPlace,
    wanted: { readonly reference: string; readonly accept: readonly string[]; readonly head: boolean },
  ): Promise<UpstreamManifest | undefined> {
    const pull = await this.#pullOf(place);
    const found = await this.#manifests.refresh(pull, wanted.reference);
    if (found === undefined) return undefined;
    const served = await this.#deps.repositories.pullManifest(
      { project: place.project, repository: place.repository },
      place.actor,
      { reference: found.reference, counted: !wanted.head },
    );
    return served === undefined
      ? undefined
      : { served, ...(found.warning === undefined ? {} : { warning: found.warning }) };
  }

  async blob(place: UpstreamPlace, digest: ContentDigest): Promise<UpstreamBlob | undefined> {
    const pull = await this.#pullOf(place);
    const here = await this.#mountKnown(pull, digest);
    if (here !== undefined) return { sizeBytes: here, content: await this.#deps.blobs.read(digest) };
    const sizeBytes = await this.#sizeThere(pull, digest);
    if (sizeBytes === undefined) return undefined;
    await this.#deps.repositories.admitBlob(place, PROXY_ACTOR, { digest, sizeBytes });
    try {
      // A client that has gone, even before it got the first byte, leaves; the fetch goes on.
      return { sizeBytes, content: addAbortSignal(place.signal, await this.#fetch(pull, digest, sizeBytes)) };
    } catch (error) {
      throw upstreamError(error, pull.endpoint.url);
    }
  }

  async blobSize(place: UpstreamPlace, digest: ContentDigest): Promise<number | undefined> {
    const pull = await this.#pullOf(place);
    return (await this.#mountKnown(pull, digest)) ?? this.#sizeThere(pull, digest);
  }

  async tags(
    place: UpstreamPlace,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly string[] | undefined> {
    const pull = await this.#pullOf(place);
    try {
      const all = await this.#upstreams.ask(pull.endpoint, pull.settings, async (registry) => {
        const names: string[] = [];
        for await (const name of registry.listTags(pull.name, place.signal)) {
          names.push(name);
          if (names.length >= MAX_TAGS_LISTED) break;
        }
        return names;
      });
      const after = page.after ?? '';
      return all
        .toSorted()
        .filter((name) => name > after)
        .slice(0, page.limit);
    } catch (error) {
      place.signal.throwIfAborted();
      const here = await this.#deps.repositories.findRepository(place.repository);
      if (here === undefined || !isUpstreamTrouble(error)) throw upstreamError(error, pull.endpoint.url);
      return this.#deps.repositories.listTags(place.repository, page);
    }
  }

  async referrers(
    place: UpstreamPlace,
    subject: ContentDigest,
    artifactType?: string,
  ): Promise<readonly Referrer[] | undefined> {
    const pull = await this.#pullOf(place);
    if (pull.settings.usesReferrersApi) {
      try {
        const { endpoint, settings, name } = pull;
        const found = await this.#upstreams.ask(endpoint, settings, async (registry) =>
          registry.listReferrers(name, subject, place.signal),
        );
        return artifactType === undefined ? found : found.filter((referrer) => referrer.artifactType === artifactType);
      } catch (error) {
        place.signal.throwIfAborted();
        if (!isUpstreamTrouble(error)) throw error;
      }
    }
    return this.#deps.repositories.listReferrers(place.repository, subject, artifactType);
  }

  /** Closes all connections and ends what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fetcher[Symbol.asyncDispose]();
    await this.#upstreams[Symbol.asyncDispose]();
  }

  async #pullOf(place: UpstreamPlace): Promise<ProxyPull> {
    const project = await this.#deps.projects.findById(place.project.id);
    const settings = project === undefined ? undefined : proxySettings(project);
    const endpoint = settings === undefined ? undefined : await this.#deps.endpoints.find(settings.registryId);
    if (settings === undefined || endpoint === undefined) {
      throw new VicError({
        class: 'Unavailable',
        code: 'PROXY_NO_UPSTREAM',
        message: `The registry that ${place.project.name} is a cache of is not known any more.`,
        remedy: 'Add the registry again, or delete the project.',
      });
    }
    return {
      place,
      settings,
      endpoint,
      name: upstreamName(settings, place.repository, endpoint.type === 'docker-hub'),
    };
  }

  /** A blob that a manifest cached here names, and that the store has from elsewhere, need not come again. */
  async #mountKnown({ place }: ProxyPull, digest: ContentDigest): Promise<number | undefined> {
    const { db } = this.#deps.database;
    const named = await db
      .selectFrom('repositories')
      .innerJoin('artifact_blobs', 'artifact_blobs.repository_id', 'repositories.id')
      .select('artifact_blobs.digest')
      .where('repositories.name', '=', place.repository)
      .where('artifact_blobs.digest', '=', digest)
      .executeTakeFirst();
    if (named === undefined) return undefined;
    const source = { digest, from: undefined, mayPull: async () => true };
    return (await this.#deps.repositories.mountBlob(place, PROXY_ACTOR, source))?.sizeBytes;
  }

  async #sizeThere({ endpoint, name, place, settings }: ProxyPull, digest: ContentDigest): Promise<number | undefined> {
    try {
      return await this.#upstreams.ask(endpoint, settings, async (registry) =>
        registry.statBlob(name, digest, place.signal),
      );
    } catch (error) {
      place.signal.throwIfAborted();
      throw upstreamError(error, endpoint.url);
    }
  }

  #fetch(pull: ProxyPull, digest: ContentDigest, sizeBytes: number): Promise<Readable> {
    const { endpoint, name, place, settings } = pull;
    const { blobs, repositories } = this.#deps;
    const limit = this.#upstreams.bandwidth(settings);
    return this.#fetcher.fetch({
      key: `${place.repository}@${digest}`,
      digest,
      kept: async () => {
        const isHere = (await repositories.findBlob(place.repository, digest)) !== undefined;
        return isHere && (await blobs.stat(digest)) !== undefined ? async () => blobs.read(digest) : undefined;
      },
      within: async (fetch) =>
        this.#upstreams.ask(endpoint, settings, async (registry) => {
          await fetch((signal) =>
            registry.readBlob(name, { digest, sizeBytes }, { signal, ...(limit === undefined ? {} : { limit }) }),
          );
        }),
      store: async (content) => {
        const stored = await blobs.put(digest, content);
        await repositories.linkBlob(
          { project: place.project, repository: place.repository },
          { digest, sizeBytes: stored.sizeBytes },
        );
      },
    });
  }
}
