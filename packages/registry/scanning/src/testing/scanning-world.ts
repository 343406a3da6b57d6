import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ANONYMOUS, type Authorizer, type Principal, type ProjectIdentity } from '@vic/authz';
import { temporaryBlobStore } from '@vic/blob/testing';
import { EventConsumers, appendEvent } from '@vic/events';
import { type HttpServer, createHttpServer } from '@vic/http';
import { HttpClient } from '@vic/http-client';
import { JobRunner, Jobs, Schedules } from '@vic/jobs';
import { silentLogger } from '@vic/log';
import { type ContentDigest, digestOfBytes } from '@vic/oci';
import { CveAllowlists, type Project } from '@vic/projects';
import type { RegistryEvent } from '@vic/registry-api';
import { type ArtifactGate, RepositoryStore } from '@vic/repositories';
import { registerRest, restErrorResponse } from '@vic/rest';
import { SecretBox } from '@vic/secrets';
import type { OpenTemporaryDatabase, TemporaryDatabase } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { AdvisoryFeeds } from '@vic/vulnerabilities';
import { type LayerEntry, imageLayer } from '@vic/vulnerabilities/testing';
import { Scanning, httpFeeds, scanningRoutes } from '../index.ts';
import type { ScanStatus } from '../reports/scan-report.ts';

/** What an answer of the API was. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** An image that was pushed. */
export interface PushedImage {
  readonly digest: ContentDigest;
  readonly artifactId: number;
  readonly size: number;
}

/** The files of an image of a distribution. */
export type ImageFiles = Readonly<Record<string, LayerEntry>>;

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DEADLINE_MS = 30_000;

/** Scanning on a real database, blob store, job runner and outbox, behind real HTTP. */
export class ScanningWorld implements AsyncDisposable {
  readonly database: TemporaryDatabase;
  readonly store: RepositoryStore;
  readonly scanning: Scanning;
  readonly project: ProjectIdentity;
  /** The credentials given to adapters, and whether they were taken back. */
  readonly robots: { readonly repository: string; revoked: boolean }[];
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.database = parts.database;
    this.store = parts.store;
    this.scanning = parts.scanning;
    this.project = parts.project;
    this.robots = parts.robots;
    this.#parts = parts;
  }

  static async open(open: OpenTemporaryDatabase): Promise<ScanningWorld> {
    await using opening = new AsyncDisposableStack();
    const database = opening.use(await open());
    const blobs = opening.use(await temporaryBlobStore());
    const directory = opening.use(await temporaryDirectory());
    const project = await addProject(database, 'library');
    const gates: ArtifactGate[] = [];
    const logger = silentLogger();
    const store = opening.use(new RepositoryStore({ database, blobs: blobs.store, logger, gates }));
    const jobs = new Jobs(database);
    const client = opening.use(new HttpClient());
    const robots: { repository: string; revoked: boolean }[] = [];
    const clock = { offsetMs: 0 };
    const now = (): number => Date.now() + clock.offsetMs;
    const projects = { findById: async (id: number) => readProject(database, id) };
    const allowlists = new CveAllowlists({ database, now });
    const scanning = new Scanning({
      database,
      logger,
      jobs,
      schedules: new Schedules(database),
      box: new SecretBox(randomBytes(32)),
      store,
      blobs: blobs.store,
      projects,
      allowlist: async ({ id }) => {
        const found = await projects.findById(id);
        return found === undefined ? new Set() : allowlists.inForce(found);
      },
      authorizer,
      advisories: new AdvisoryFeeds({
        database,
        logger,
        directory: join(directory.path, 'advisories'),
        fetch: httpFeeds(client),
        now,
      }),
      robots: {
        issue: async ({ repository }) => {
          const robot = { repository, revoked: false };
          robots.push(robot);
          return {
            authorization: `Basic ${Buffer.from('robot:secret').toString('base64')}`,
            revoke: async () => void (robot.revoked = true),
          };
        },
      },
      registry: { url: 'https://registry.example.com', internalUrl: 'http://registry:8080' },
      appendEvent,
      now,
    });
    gates.push(scanning.gate);
    await scanning.start();
    const runner = new JobRunner({ database, logger }, scanning, { pollMs: 20 });
    opening.use(runner).start();
    const consumers = opening.use(new EventConsumers({ database, logger }, [scanning.consumer], { pollMs: 20 }));
    await consumers.start();
    const server = createHttpServer({ logger, errorResponse: restErrorResponse });
    opening.defer(async () => server.close(0));
    const origin = await serve(server, scanning, database);
    const parts = { database, store, scanning, project, robots, blobs: blobs.store, directory: directory.path };
    return new ScanningWorld({ ...parts, consumers, origin, clock, resources: opening.move() });
  }

  /** Calls the API as `admin`, unless `as` says otherwise; `null` is nobody. */
  async call(
    method: string,
    path: string,
    options: { readonly as?: string | null; readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const as = options.as === undefined ? 'admin' : options.as;
    const response = await fetch(`${this.#parts.origin}${path}`, {
      method,
      headers: {
        ...(as === null ? {} : { authorization: `Test ${as}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  /** Pushes an image with one layer per set of files. */
  async pushImage(repository: string, layers: readonly ImageFiles[], tag?: string): Promise<PushedImage> {
    const packed = layers.map((files) => gzipSync(imageLayer(files)));
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }));
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: await this.#pushBlob(repository, 'application/vnd.oci.image.config.v1+json', config),
      layers: await Promise.all(
        packed.map(async (layer) => this.#pushBlob(repository, 'application/vnd.oci.image.layer.v1.tar+gzip', layer)),
      ),
    };
    return this.#pushManifest(repository, OCI_MANIFEST, manifest, tag);
  }

  /** Pushes an index of images. */
  async pushIndex(repository: string, members: readonly PushedImage[], tag: string): Promise<PushedImage> {
    const manifests = members.map(({ digest, size }, index) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size,
      platform: { os: 'linux', architecture: ['amd64', 'arm64'][index] },
    }));
    return this.#pushManifest(repository, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, tag);
  }

  /** Pulls a manifest through the gates. */
  async pull(
    repository: string,
    reference: string,
    actor: { readonly principal: Principal; readonly userAgent?: string } = { principal: userNamed('dev') },
  ): Promise<string> {
    const served = await this.store.pullManifest(this.#place(repository), actor, { reference, counted: true });
    return served?.artifact.digest ?? 'not found';
  }

  /** Deletes an artifact. */
  async delete(repository: string, reference: string): Promise<void> {
    await this.store.deleteArtifact(this.#place(repository), { principal: userNamed('admin') }, reference);
  }

  /** Imports advisories under the name `test`. */
  async importAdvisories(documents: readonly unknown[], mode: 'replace' | 'merge' = 'replace'): Promise<void> {
    const source = join(this.#parts.directory, 'feed.json');
    await writeFile(source, JSON.stringify(documents));
    const signal = AbortSignal.timeout(DEADLINE_MS);
    await this.scanning.deps.advisories.import({ name: 'test', source, mode }, signal);
  }

  /** Waits until the jobs and events there are have been handled. */
  async settle(): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const { db } = this.database;
    for (;;) {
      const known = await this.#lastEvent();
      await this.#parts.consumers.drain(signal);
      const busy = await db.selectFrom('job').select('id').where('status', 'in', ['Pending', 'Running']).execute();
      const open = await db.selectFrom('job_execution').select('id').where('status', '=', 'Running').execute();
      // A job that has ended since may have told of something that makes others begin.
      if (busy.length + open.length === 0 && (await this.#lastEvent()) === known) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
      signal.throwIfAborted();
    }
  }

  /** Waits for the report of an artifact to be in a state. */
  async untilStatus(artifactId: number, status: ScanStatus): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const { db } = this.database;
    for (;;) {
      signal.throwIfAborted();
      const rows = await db.selectFrom('scan_reports').select('status').where('artifact_id', '=', artifactId).execute();
      if (rows.some((row) => row.status === status)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The overview the catalogue shows of an artifact. */
  async overview(
    image: PushedImage,
    type = 'application/vnd.security.vulnerability.report; version=1.1',
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const overviews = await this.scanning.providers.scanOverviews([this.summary(image)], [type]);
    return overviews.get(image.artifactId)?.[type] as Readonly<Record<string, unknown>> | undefined;
  }

  /** The artifact as the catalogue describes it to providers. */
  summary({ artifactId, digest }: PushedImage, repository = 'library/app') {
    const type = { type: 'IMAGE', manifestMediaType: OCI_MANIFEST };
    return { id: artifactId, projectId: this.project.id, repositoryId: 1, repository, digest, ...type };
  }

  /** Sets metadata of the project. */
  async setMetadata(metadata: Readonly<Record<string, string>>): Promise<void> {
    const values = { metadata: JSON.stringify(metadata) };
    await this.database.db.updateTable('projects').set(values).where('id', '=', this.project.id).execute();
  }

  /** Events of these types, in order. */
  async events(...types: readonly RegistryEvent['type'][]): Promise<readonly Record<string, unknown>[]> {
    const rows = await this.database.db
      .selectFrom('event')
      .selectAll()
      .where('type', 'in', types)
      .orderBy('id')
      .execute();
    return rows.map(({ type, body }) => ({ type, ...(JSON.parse(body) as object) }));
  }

  /** Lets time pass for grace periods and expiry. */
  passTime(ms: number): void {
    this.#parts.clock.offsetMs += ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.resources.disposeAsync();
  }

  async #lastEvent(): Promise<number> {
    const row = await this.database.db
      .selectFrom('event')
      .select(({ fn }) => fn.max('id').as('id'))
      .executeTakeFirst();
    return row?.id ?? 0;
  }

  #place(repository: string): { project: ProjectIdentity; repository: string } {
    return { project: this.project, repository };
  }

  async #pushBlob(repository: string, mediaType: string, content: Buffer): Promise<object> {
    const digest = digestOfBytes(content);
    await this.#parts.blobs.put(digest, Readable.from([content]));
    await this.store.linkBlob(this.#place(repository), { digest, sizeBytes: content.length });
    return { mediaType, digest, size: content.length };
  }

  async #pushManifest(repository: string, mediaType: string, document: object, tag?: string): Promise<PushedImage> {
    const content = Buffer.from(JSON.stringify(document));
    const digest = digestOfBytes(content);
    const { artifact } = await this.store.putManifest(
      this.#place(repository),
      { principal: userNamed('admin') },
      { content, mediaType, digest, tags: tag === undefined ? [] : [tag] },
    );
    return { digest, artifactId: artifact.id, size: content.length };
  }
}

interface Parts {
  readonly database: TemporaryDatabase;
  readonly store: RepositoryStore;
  readonly scanning: Scanning;
  readonly project: ProjectIdentity;
  readonly robots: { readonly repository: string; revoked: boolean }[];
  readonly blobs: Awaited<ReturnType<typeof temporaryBlobStore>>['store'];
  readonly directory: string;
  readonly consumers: EventConsumers;
  readonly origin: string;
  readonly clock: { offsetMs: number };
  readonly resources: AsyncDisposableStack;
}

/** The principals of tests, by the name they sign in with: `admin` may all, `dev` pulls and pushes. */
export function userNamed(name: string | undefined): Principal {
  if (name === undefined) return ANONYMOUS;
  return { kind: 'user', id: name.length, name, systemAdministrator: name === 'admin', groupIds: [] };
}

/** A robot like the ones scanners get. */
export const SCANNER_ROBOT: Principal = {
  kind: 'robot',
  id: 7,
  name: 'robot$scanner',
  grants: [
    {
      scope: { kind: 'project', project: 'library' },
      permissions: [
        { resource: 'repository', action: 'pull' },
        { resource: 'repository', action: 'scanner-pull' },
      ],
    },
  ],
};

const authorizer: Authorizer = {
  isAllowed: async (principal, { resource, action }, project) => {
    if (principal.kind === 'anonymous') return false;
    if (principal.kind === 'robot') {
      const granted = principal.grants.flatMap(({ permissions }) => permissions);
      return granted.some((permission) => permission.resource === resource && permission.action === action);
    }
    if (principal.systemAdministrator) return true;
    return project !== undefined && (['read', 'pull', 'list'].includes(action) || action === 'push');
  },
};

async function addProject({ db }: TemporaryDatabase, name: string): Promise<ProjectIdentity> {
  const { id } = await db
    .insertInto('projects')
    .values({ name, owner_id: 1, public: 0, metadata: '{}', created_at_ms: 1, updated_at_ms: 1 })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, name, public: false };
}

async function readProject({ db }: TemporaryDatabase, id: number): Promise<Project | undefined> {
  const row = await db.selectFrom('projects').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  const metadata = JSON.parse(row.metadata) as Record<string, string>;
  const times = { createdAtMs: row.created_at_ms, updatedAtMs: row.updated_at_ms };
  return {
    id: row.id,
    name: row.name,
    public: row.public === 1,
    ownerId: 1,
    registryId: undefined,
    metadata,
    ...times,
  };
}

async function serve(server: HttpServer, scanning: Scanning, database: TemporaryDatabase): Promise<string> {
  const findProject = async (nameOrId: string): Promise<ProjectIdentity | undefined> => {
    const rows = await database.db.selectFrom('projects').selectAll().execute();
    const row = rows.find(({ id, name }) => name === nameOrId || String(id) === nameOrId);
    return row === undefined ? undefined : { id: row.id, name: row.name, public: row.public === 1 };
  };
  const services = {
    authenticate: async ({ authorization }: { readonly authorization: string | undefined }) =>
      userNamed(authorization?.split(' ')[1]),
    authorizer,
    findProject,
    isReadOnly: async () => false,
    record: async () => undefined,
  };
  await registerRest(server.app, { prefix: '/api/v2.0', logger: silentLogger(), services }, [scanningRoutes(scanning)]);
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${'port' in address ? address.port : 0}/api/v2.0`;
}
