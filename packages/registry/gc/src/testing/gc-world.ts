import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Principal } from '@vic/authz';
import type { BlobStore } from '@vic/blob';
import { temporaryBlobStore } from '@vic/blob/testing';
import { type Logger, silentLogger } from '@vic/log';
import { type Digest, MEDIA_TYPES, digestOfBytes } from '@vic/oci';
import { type RepositoryPlace, RepositoryStore } from '@vic/repositories';
import type { Database } from '@vic/sql';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { collectGarbage } from '../collect-garbage.ts';
import { recordDamage } from '../damaged-content.ts';
import { estimateGarbage } from '../estimate-garbage.ts';
import type { Garbage } from '../garbage.ts';
import type { GcParameters } from '../gc-parameters.ts';
import type { GcDeps, GcRun } from '../gc-work.ts';

const ADA: Principal = { kind: 'user', id: 1, name: 'ada', systemAdministrator: false, groupIds: [] };

/** A blob or a manifest that was pushed. */
export interface Pushed {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Everything at once, and now. */
export const EVERYTHING: GcParameters = { deleteUntagged: false, dryRun: false, workers: 4, timeWindowHours: 0 };

/** Repositories of project `library` with their blobs, and what a client and the collector do with them. */
export class GcWorld implements AsyncDisposable {
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Of the blob store. */
  readonly directory: string;
  readonly store: RepositoryStore;
  /** Added to the time of both. */
  aheadMs = 0;
  readonly #resources: AsyncDisposableStack;

  private constructor(parts: {
    readonly database: Database;
    readonly blobs: BlobStore;
    readonly directory: string;
    readonly resources: AsyncDisposableStack;
  }) {
    this.database = parts.database;
    this.blobs = parts.blobs;
    this.directory = parts.directory;
    this.#resources = parts.resources;
    const { database, blobs } = parts;
    this.store = this.#resources.use(
      new RepositoryStore({ database, blobs, logger: silentLogger(), nowMs: () => this.nowMs() }),
    );
  }

  static async open(open: OpenTemporaryDatabase, logger: Logger = silentLogger()): Promise<GcWorld> {
    await using resources = new AsyncDisposableStack();
    const database = resources.use(await open());
    const { store, directory } = resources.use(await temporaryBlobStore(recordDamage({ database, logger })));
    await database.db
      .insertInto('projects')
      .values({ name: 'library', owner_id: 1, registry_id: null, public: 1, metadata: '{}', ...TIMES })
      .execute();
    return new GcWorld({ database, blobs: store, directory, resources: resources.move() });
  }

  nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  get deps(): GcDeps {
    return { database: this.database, blobs: this.blobs, store: this.store, nowMs: () => this.nowMs() };
  }

  /** Collects now; a later moment, so that what was just pushed is old enough. */
  async collect(parameters: Partial<GcParameters> = {}, deps: Partial<GcDeps> = {}): Promise<Garbage> {
    this.aheadMs += 5;
    return collectGarbage({ ...this.deps, ...deps }, { ...EVERYTHING, ...parameters }, quietRun());
  }

  /** What {@link collect} would remove. */
  async estimate(parameters: Partial<GcParameters> = {}): Promise<Garbage> {
    this.aheadMs += 5;
    return estimateGarbage(this.deps, { ...EVERYTHING, ...parameters, dryRun: true }, quietRun());
  }

  /** Uploads a blob as `/v2` does. */
  async blob(repository: string, content: string | Uint8Array, mediaType: string): Promise<Pushed> {
    const bytes = Buffer.from(content);
    const digest = digestOfBytes(bytes);
    await this.blobs.put(digest, Readable.from([bytes]));
    await this.store.linkBlob(placeOf(repository), { digest, sizeBytes: bytes.length });
    return { mediaType, digest, size: bytes.length };
  }

  /** Pushes an image of a random configuration and these layers. */
  async image(
    repository: string,
    tags: readonly string[],
    layers: readonly Pushed[] = [],
    extra: object = {},
  ): Promise<Pushed> {
    const config = await this.blob(
      repository,
      JSON.stringify({ os: 'linux', architecture: 'arm64', nonce: randomBytes(8).toString('hex') }),
      MEDIA_TYPES.ociConfig,
    );
    return this.manifest(repository, tags, { mediaType: MEDIA_TYPES.ociManifest, config, layers, ...extra });
  }

  /** Pushes an index. */
  async index(repository: string, tags: readonly string[], manifests: readonly Pushed[]): Promise<Pushed> {
    return this.manifest(repository, tags, { mediaType: MEDIA_TYPES.ociIndex, manifests });
  }

  /** A layer of that many random bytes. */
  async layer(repository: string, sizeBytes = 1000): Promise<Pushed> {
    return this.blob(repository, randomBytes(sizeBytes), MEDIA_TYPES.ociLayerGzip);
  }

  async delete(repository: string, reference: string): Promise<void> {
    await this.store.deleteArtifact(placeOf(repository), { principal: ADA }, reference);
  }

  /** The digests in the blob store. */
  async stored(): Promise<ReadonlySet<string>> {
    return new Set((await Array.fromAsync(this.blobs.list())).map(({ digest }) => digest));
  }

  async manifest(
    repository: string,
    tags: readonly string[],
    document: { readonly mediaType: string; readonly [field: string]: unknown },
  ): Promise<Pushed> {
    const content = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
    const digest = digestOfBytes(content);
    const { mediaType } = document;
    await this.store.putManifest(placeOf(repository), { principal: ADA }, { content, mediaType, digest, tags });
    return { mediaType, digest, size: content.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

const TIMES = { created_at_ms: 0, updated_at_ms: 0 };

/** A place in the one project. */
export function placeOf(repository: string): RepositoryPlace {
  return { project: { id: 1, name: 'library', public: true }, repository };
}

/** A run that nobody watches. */
export function quietRun(signal: AbortSignal = new AbortController().signal): GcRun {
  const drop = (): void => undefined;
  return { signal, log: { info: drop, warn: drop, error: drop }, progress: drop };
}
