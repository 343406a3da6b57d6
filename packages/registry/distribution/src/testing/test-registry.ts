import { join } from 'node:path';
import { type BlobStore, openFsBlobStore } from '@vic/blob';
import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { type ArtifactGate, RepositoryStore, type SparsePolicy } from '@vic/repositories';
import { type Database, openDatabase } from '@vic/sql';
import { temporaryDirectory } from '@vic/testkit';
import { registerDistribution } from '../distribution-routes.ts';
import type { Upstream } from '../upstream.ts';
import { TEST_PROJECTS, TestAccess } from './test-access.ts';

/** Options of {@link startTestRegistry}. */
export interface TestRegistryOptions {
  /** Everybody is ada; no credentials are needed. True when absent. */
  readonly open?: boolean;
  readonly gates?: readonly ArtifactGate[];
  readonly sparse?: SparsePolicy;
  readonly upstream?: Upstream;
  readonly minChunkBytes?: number;
  /** Kept when given; else temporary. */
  readonly directory?: string;
}

/** A registry of repositories and distribution alone. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly url: string;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly store: RepositoryStore;
  readOnly: boolean;
}

/** Starts a registry on SQLite and files in a directory. */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  await using resources = new AsyncDisposableStack();
  const directory = options.directory ?? resources.use(await temporaryDirectory('vic-distribution-')).path;
  const database = resources.use(await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') }));
  await makeProjects(database);
  const blobs = resources.use(await openFsBlobStore({ directory: join(directory, 'blobs') }));
  const logger = silentLogger();
  const { gates = [], sparse = 'indexes' } = options;
  const store = resources.use(new RepositoryStore({ database, blobs, logger, gates, sparse }));
  const server = resources.use(createHttpServer({ logger }));
  const state = { readOnly: false };
  await registerDistribution(server.app, {
    store,
    blobs,
    logger,
    access: new TestAccess({ open: options.open ?? true }),
    isReadOnly: async () => state.readOnly,
    ...(options.upstream === undefined ? {} : { upstream: options.upstream }),
    ...(options.minChunkBytes === undefined ? {} : { minChunkBytes: options.minChunkBytes }),
  });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const host = 'port' in address ? `${address.host}:${address.port}` : '';
  const moved = resources.move();
  return Object.assign(state, {
    host,
    url: `http://${host}`,
    database,
    blobs,
    store,
    [Symbol.asyncDispose]: async () => moved.disposeAsync(),
  });
}

/** Those of {@link TestAccess}; a directory may be opened again. */
async function makeProjects({ db }: Database): Promise<void> {
  const rest = { owner_id: 1, registry_id: null, metadata: '{}', created_at_ms: 0, updated_at_ms: 0 };
  const values = TEST_PROJECTS.map(({ id, name, public: isPublic }) => ({
    id,
    name,
    public: isPublic ? 1 : 0,
    ...rest,
  }));
  await db
    .insertInto('projects')
    .values(values)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
