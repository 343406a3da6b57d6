import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Principal } from '@vic/authz';
import { silentLogger } from '@vic/log';
import { type ContentDigest, MEDIA_TYPES, digestOfBytes } from '@vic/oci';
import type { RegistryEvent } from '@vic/registry-api';
import type { Database } from '@vic/sql';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import type { Actor, ArtifactGate, RepositoryPlace } from '../artifact-gate.ts';
import type { PutManifestResult } from '../put-manifest.ts';
import type { SparsePolicy } from '../missing-content.ts';
import { RepositoryStore } from '../repository-store.ts';

const ADA: Principal = { kind: 'user', id: 1, name: 'ada', systemAdministrator: false, groupIds: [] };

/** Who acts in these tests. */
export const actor: Actor = { principal: ADA };

/** A place in one of two projects. */
export function placeOf(repository: string): RepositoryPlace {
  const name = repository.split('/')[0] ?? '';
  return { project: { id: name === 'library' ? 1 : 2, name, public: false }, repository };
}

/** A descriptor as documents hold it. */
export interface TestDescriptor {
  readonly mediaType: string;
  readonly digest: ContentDigest;
  readonly size: number;
}

/** A store on a database of its own, and what a client would do with it. */
export class StoreUnderTest implements AsyncDisposable {
  readonly database: Database;
  readonly store: RepositoryStore;
  /** Moved by tests. */
  readonly clock: { nowMs: number };
  readonly #content: Map<string, Uint8Array>;
  readonly #resources: AsyncDisposableStack;

  private constructor(parts: {
    readonly database: Database;
    readonly store: RepositoryStore;
    readonly clock: { nowMs: number };
    readonly content: Map<string, Uint8Array>;
    readonly resources: AsyncDisposableStack;
  }) {
    this.database = parts.database;
    this.store = parts.store;
    this.clock = parts.clock;
    this.#content = parts.content;
    this.#resources = parts.resources;
  }

  static async open(
    open: OpenTemporaryDatabase,
    options: { readonly gates?: readonly ArtifactGate[]; readonly sparse?: SparsePolicy } = {},
  ): Promise<StoreUnderTest> {
    await using resources = new AsyncDisposableStack();
    const database = resources.use(await open());
    await makeProjects(database);
    const content = new Map<string, Uint8Array>();
    const clock = { nowMs: 1_800_000_000_000 };
    const blobs = {
      read: async (digest: ContentDigest) => Readable.from([Buffer.from(content.get(digest) ?? '')]),
    };
    const store = resources.use(
      new RepositoryStore({ database, blobs, logger: silentLogger(), nowMs: () => clock.nowMs, ...options }),
    );
    return new StoreUnderTest({ database, store, clock, content, resources: resources.move() });
  }

  /** Uploads a blob into a repository. */
  async blob(repository: string, content: string | Uint8Array, mediaType: string): Promise<TestDescriptor> {
    const bytes = Buffer.from(content);
    const digest = digestOfBytes(bytes);
    this.#content.set(digest, bytes);
    await this.store.linkBlob(placeOf(repository), { digest, sizeBytes: bytes.length });
    return { mediaType, digest, size: bytes.length };
  }

  /** Pushes an image of one random layer (or the layers given). */
  async image(
    repository: string,
    tags: readonly string[] = [],
    extra: object = {},
    layers?: readonly TestDescriptor[],
  ): Promise<PutManifestResult> {
    const config = await this.blob(
      repository,
      JSON.stringify({ os: 'linux', architecture: 'arm64', author: 'Ada', rootfs: {}, nonce: nonce() }),
      MEDIA_TYPES.ociConfig,
    );
    const layer = layers ?? [await this.blob(repository, nonce(), MEDIA_TYPES.ociLayerGzip)];
    return this.push(repository, tags, { config, layers: layer, ...extra });
  }

  /** Pushes an index of these artifacts. */
  async index(
    repository: string,
    tags: readonly string[],
    children: readonly { readonly digest: ContentDigest; readonly size: number }[],
  ): Promise<PutManifestResult> {
    const manifests = children.map((child) => ({ mediaType: MEDIA_TYPES.ociManifest, ...child }));
    return this.push(repository, tags, { mediaType: MEDIA_TYPES.ociIndex, manifests });
  }

  /** Pushes any document. */
  async push(repository: string, tags: readonly string[], document: object): Promise<PutManifestResult> {
    const { mediaType = MEDIA_TYPES.ociManifest } = document as { mediaType?: string };
    const content = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
    return this.store.putManifest(placeOf(repository), actor, {
      content,
      mediaType,
      digest: digestOfBytes(content),
      tags,
    });
  }

  /** Everything told so far, without the tables' other columns. */
  async events(): Promise<readonly RegistryEvent[]> {
    const rows = await this.database.db.selectFrom('event').select(['type', 'body']).orderBy('id').execute();
    return rows.map((row) => ({ type: row.type, ...(JSON.parse(row.body) as object) }) as RegistryEvent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function makeProjects({ db }: Database): Promise<void> {
  const rest = { owner_id: 1, public: 0, metadata: '{}', created_at_ms: 0, updated_at_ms: 0 };
  const values = [
    { id: 1, name: 'library', ...rest },
    { id: 2, name: 'other', ...rest },
  ];
  await db.insertInto('projects').values(values).execute();
}

/** Content that nobody has pushed before. */
export function nonce(): string {
  return randomBytes(16).toString('hex');
}
