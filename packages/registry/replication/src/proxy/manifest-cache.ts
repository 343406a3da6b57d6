import { Readable } from 'node:stream';
import { SingleFlight } from '@vic/async';
import type { BlobStore } from '@vic/blob';
import { isVicError } from '@vic/errors';
import { isContentDigest, MAX_CONFIG_BYTES, parseRegistryManifest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import type { RemoteRegistry } from '@vic/registry-client';
import type { RepositoryPlace, RepositoryStore } from '@vic/repositories';
import type { CheckedReferences } from './checked-references.ts';
import { PROXY_ACTOR } from './proxy-actor.ts';
import { isUpstreamTrouble, upstreamError } from './proxy-errors.ts';
import type { ProxyPull } from './proxy-pull.ts';
import type { UpstreamConnections } from './upstream-connections.ts';

/** What manifests are cached with. */
export interface ManifestCacheDeps {
  readonly repositories: RepositoryStore;
  readonly blobs: Pick<BlobStore, 'put'>;
  readonly references: CheckedReferences;
  readonly upstreams: UpstreamConnections;
}

/** What can be served. */
export interface CachedManifest {
  /** A tag or digest that the store has now. */
  readonly reference: string;
  readonly warning?: string;
}

const FRESH_MS = 5_000;
const NEGATIVE_MS = 30_000;
/** A client waits for this; the copy that is here is better than a longer wait. */
const UPSTREAM_TIMEOUT_MS = 20_000;
/** RFC 9111: the copy is served although the upstream could not be asked whether it is current. */
const REVALIDATION_FAILED = '111 - "Revalidation Failed"';

/** Manifests of upstreams: asked whether they are current, fetched when they are new, kept. */
export class ManifestCache {
  readonly #deps: ManifestCacheDeps;
  readonly #freshMs: number;
  readonly #negativeMs: number;
  readonly #flights = new SingleFlight<CachedManifest | undefined>();

  constructor(
    deps: ManifestCacheDeps,
    options: { readonly freshMs?: number | undefined; readonly negativeMs?: number | undefined },
  ) {
    this.#deps = deps;
    this.#freshMs = options.freshMs ?? FRESH_MS;
    this.#negativeMs = options.negativeMs ?? NEGATIVE_MS;
  }

  /** Brings what the reference names up to date; `undefined` when there is nothing. */
  async refresh(pull: ProxyPull, reference: string): Promise<CachedManifest | undefined> {
    const { repository } = pull.place;
    const here = await this.#deps.repositories.resolve(repository, reference);
    if (here !== undefined && isContentDigest(reference)) return { reference };
    return this.#flights.run(`${repository}:${reference}`, async () => {
      try {
        return await this.#ask(pull, reference, here?.digest);
      } catch (error) {
        if (here === undefined || !isUpstreamTrouble(error)) throw upstreamError(error, pull.endpoint.url);
        return { reference, warning: REVALIDATION_FAILED };
      }
    });
  }

  async #ask(pull: ProxyPull, reference: string, here: ContentDigest | undefined): Promise<CachedManifest | undefined> {
    const { endpoint, name, place, settings } = pull;
    const { references, upstreams } = this.#deps;
    const known = await references.find(settings.projectId, place.repository, reference);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : Date.now() - known.checkedAtMs;
    if (known?.digest === '' && ageMs < this.#negativeMs) return this.#whenNotFound(pull, reference, here);
    if (here !== undefined && known?.digest === here && ageMs < this.#freshMs) return { reference };
    return upstreams.ask(endpoint, settings, async (registry) => {
      // Of all who wait for it none may take it from the others by going away.
      const signal = AbortSignal.timeout(UPSTREAM_TIMEOUT_MS);
      const head = await headOf(registry, name, reference, signal);
      await references.record(settings.projectId, place.repository, reference, head?.digest ?? '');
      if (head === undefined) return this.#whenNotFound(pull, reference, here);
      if (head.digest !== here) await this.#bring(pull, registry, { reference, digest: head.digest }, signal);
      return { reference };
    });
  }

  /** What the upstream has no more goes on being served only where the project wants that. */
  #whenNotFound(pull: ProxyPull, reference: string, here: ContentDigest | undefined): CachedManifest | undefined {
    if (here === undefined || !pull.settings.servesLocalWhenNotFound) return undefined;
    return { reference, warning: REVALIDATION_FAILED };
  }

  async #bring(
    { name, place }: ProxyPull,
    registry: RemoteRegistry,
    wanted: { readonly reference: string; readonly digest: ContentDigest },
    signal: AbortSignal,
  ): Promise<void> {
    const { repositories } = this.#deps;
    const target = { project: place.project, repository: place.repository };
    const stored = await repositories.getManifest(place.repository, wanted.digest);
    const manifest =
      stored === undefined
        ? await registry.getManifest(name, wanted.digest, signal)
        : { bytes: stored.manifest.content, mediaType: stored.manifest.mediaType };
    if (stored === undefined) await this.#bringConfig(target, name, registry, manifest, signal);
    await repositories.putManifest(target, PROXY_ACTOR, {
      content: manifest.bytes,
      mediaType: manifest.mediaType,
      digest: wanted.digest,
      tags: isContentDigest(wanted.reference) ? [] : [wanted.reference],
    });
  }

  /** The configuration is small, and tells what the image is. */
  async #bringConfig(
    target: RepositoryPlace,
    name: string,
    registry: RemoteRegistry,
    manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { config } = parseRegistryManifest(manifest.bytes, manifest.mediaType);
    if (config === undefined || config.external || config.sizeBytes > MAX_CONFIG_BYTES) return;
    const { blobs, repositories } = this.#deps;
    if ((await repositories.findBlob(target.repository, config.digest)) !== undefined) return;
    const { sizeBytes } = await blobs.put(
      config.digest,
      Readable.from(registry.readBlob(name, config, { signal })),
      signal,
    );
    await repositories.linkBlob(target, { digest: config.digest, sizeBytes });
  }
}

/** Registries answer a repository that is private, or not there, with a refusal: for a client it is not there. */
async function headOf(
  registry: RemoteRegistry,
  name: string,
  reference: string,
  signal: AbortSignal,
): Promise<{ readonly digest: ContentDigest } | undefined> {
  try {
    return await registry.headManifest(name, reference, signal);
  } catch (error) {
    if (isVicError(error, { code: 'REGISTRY_DENIED' })) return undefined;
    throw error;
  }
}
