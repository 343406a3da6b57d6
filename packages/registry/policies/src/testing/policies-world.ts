import type { Readable } from 'node:stream';
import type { Principal, ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpServer, createHttpServer } from '@vic/http';
import { JobRunner, Jobs, Schedules } from '@vic/jobs';
import { silentLogger } from '@vic/log';
import { type ContentDigest, digestOfBytes } from '@vic/oci';
import type { RegistryEvent } from '@vic/registry-api';
import { type Actor, RepositoryStore } from '@vic/repositories';
import { registerRest, restErrorResponse } from '@vic/rest';
import type { OpenTemporaryDatabase, TemporaryDatabase } from '@vic/sql/testing';
import {
  Immutability,
  ImmutabilityGate,
  QuotaGate,
  Quotas,
  Retention,
  immutabilityRoutes,
  quotaRoutes,
  retentionJob,
  retentionRoutes,
} from '../index.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = Buffer.from('{}');
const DAY_MS = 86_400_000;

/** The policies on a real store, database and job runner, called over real HTTP. */
export class PoliciesWorld implements AsyncDisposable {
  readonly database: TemporaryDatabase;
  readonly store: RepositoryStore;
  readonly immutability: Immutability;
  readonly quotas: Quotas;
  readonly retention: Retention;
  readonly jobs: Jobs;
  readonly events: RegistryEvent[] = [];
  readonly library: ProjectIdentity;
  /** The project's retention policy as projects was told. */
  tiedPolicy: number | undefined;
  readonly #clock = { nowMs: Date.now() };
  readonly #runner: JobRunner;
  readonly #server: HttpServer;
  #origin = '';

  private constructor(database: TemporaryDatabase, library: ProjectIdentity) {
    this.database = database;
    this.library = library;
    const now = (): number => this.#clock.nowMs;
    const appendEvent = async (_: unknown, event: RegistryEvent): Promise<void> => void this.events.push(event);
    this.immutability = new Immutability({ database });
    this.quotas = new Quotas({ database, defaultLimitBytes: async () => -1 });
    this.store = new RepositoryStore({
      database,
      logger: silentLogger(),
      blobs: { read: noBlobs },
      gates: [
        new ImmutabilityGate({ database, immutability: this.immutability }),
        new QuotaGate({ database, quotas: this.quotas, appendEvent }),
      ],
      nowMs: now,
    });
    this.jobs = new Jobs(database);
    this.retention = new Retention({
      database,
      jobs: this.jobs,
      schedules: new Schedules(database),
      appendEvent,
      tieToProject: async (_, __, policyId) => {
        this.tiedPolicy = policyId;
      },
    });
    this.#runner = new JobRunner(
      { database, logger: silentLogger() },
      {
        kinds: [retentionJob({ database, store: this.store, immutability: this.immutability, now })],
        vendors: [this.retention.vendor],
      },
      { pollMs: 20 },
    );
    this.#server = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
  }

  static async open(open: OpenTemporaryDatabase): Promise<PoliciesWorld> {
    const database = await open();
    const { id } = await database.db
      .insertInto('projects')
      .values({ name: 'library', owner_id: 1, public: 0, metadata: '{}', created_at_ms: 1, updated_at_ms: 1 })
      .returning('id')
      .executeTakeFirstOrThrow();
    const world = new PoliciesWorld(database, { id, name: 'library', public: false });
    await database.transaction(async (transaction) => world.quotas.create(transaction, id, undefined));
    await world.#serve();
    world.#runner.start();
    return world;
  }

  /** Turns the clock of pushes and of retention on. */
  pass(days: number): void {
    this.#clock.nowMs += days * DAY_MS;
  }

  /** Calls the API as the system administrator, unless `as` says otherwise. */
  async call(
    method: string,
    path: string,
    options: { readonly as?: string; readonly body?: unknown } = {},
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string; readonly json: unknown }> {
    const response = await fetch(`${this.#origin}${path}`, {
      method,
      headers: {
        authorization: `Test ${options.as ?? 'admin'}`,
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  /** Puts a blob of that many bytes into the repository, through the gates. */
  async putBlob(repository: string, name: string, sizeBytes: number): Promise<ContentDigest> {
    const place = { project: this.library, repository: `library/${repository}` };
    const digest = digestOfBytes(name);
    await this.store.admitBlob(place, ADMINISTRATOR, { digest, sizeBytes });
    await this.store.linkBlob(place, { digest, sizeBytes });
    return digest;
  }

  /** Pushes an artifact of one small layer. */
  async push(repository: string, tags: readonly string[], note = Math.random().toString()): Promise<ContentDigest> {
    const config = await this.putBlob(repository, '{}', CONFIG.byteLength);
    const content = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: CONFIG.byteLength },
        layers: [],
        annotations: { note },
      }),
    );
    const digest = digestOfBytes(content);
    const place = { project: this.library, repository: `library/${repository}` };
    await this.store.putManifest(place, ADMINISTRATOR, { content, mediaType: OCI_MANIFEST, digest, tags });
    return digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
    await this.#server.close(0);
    await this.store[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }

  async #serve(): Promise<void> {
    const { library } = this;
    await registerRest(
      this.#server.app,
      {
        prefix: '/api/v2.0',
        logger: silentLogger(),
        services: {
          authenticate: async ({ authorization }) => userNamed(authorization?.split(' ')[1] ?? ''),
          authorizer: {
            isAllowed: async (principal, { resource }, project) =>
              principal.kind === 'user' &&
              (principal.systemAdministrator || (project !== undefined && resource !== 'quota')),
          },
          findProject: async (nameOrId) =>
            nameOrId === library.name || nameOrId === String(library.id) ? library : undefined,
          isReadOnly: async () => false,
          record: async () => undefined,
        },
      },
      [immutabilityRoutes(this.immutability), quotaRoutes(this.quotas), retentionRoutes(this)],
    );
    const address = await this.#server.listen({ host: '127.0.0.1', port: 0 });
    this.#origin = `http://127.0.0.1:${'port' in address ? address.port : 0}/api/v2.0`;
  }
}

function userNamed(name: string): Principal {
  return { kind: 'user', id: 1, name, systemAdministrator: name === 'admin', groupIds: [] };
}

/** Who pushes in tests. */
export const ADMINISTRATOR: Actor = { principal: userNamed('admin') };

async function noBlobs(): Promise<Readable> {
  throw new VicError({ class: 'NotFound', code: 'BLOB_UNKNOWN', message: 'no blobs here' });
}
