import { Readable } from 'node:stream';
import { ANONYMOUS, type Principal, type ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import { appendEvent } from '@vic/events';
import type { RegistryEvent } from '@vic/registry-api';
import { type HttpServer, createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { type ContentDigest, digestOfBytes } from '@vic/oci';
import { Immutability, ImmutabilityGate, immutabilityRoutes } from '@vic/policies';
import { RepositoryStore } from '@vic/repositories';
import { type AuditedOperation, registerRest, restErrorResponse } from '@vic/rest';
import type { OpenTemporaryDatabase, TemporaryDatabase } from '@vic/sql/testing';
import { type CatalogDeps, catalogRoutes } from '../index.ts';

/** What an answer of the API was. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; `undefined` when it is none. */
  readonly json: unknown;
}

/** What makes a manifest in a test. */
export interface TestArtifact {
  readonly tags?: readonly string[];
  readonly config?: { readonly mediaType?: string; readonly json?: unknown };
  readonly layers?: readonly { readonly mediaType: string; readonly content: Uint8Array; readonly name?: string }[];
  readonly subject?: { readonly digest: ContentDigest; readonly size: number };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest that was pushed. */
export interface Pushed {
  readonly digest: ContentDigest;
  readonly size: number;
  readonly mediaType: string;
}

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

/** The principals of tests, by the name they sign in with: `admin` may all, `dev` all in projects, `guest` read. */
function principalNamed(name: string | undefined): Principal {
  if (name === undefined) return ANONYMOUS;
  return { kind: 'user', id: name.length, name, systemAdministrator: name === 'admin', groupIds: [] };
}

/** The catalogue over real HTTP, on a real store and database; blobs are in memory. */
export class CatalogWorld implements AsyncDisposable {
  readonly database: TemporaryDatabase;
  readonly store: RepositoryStore;
  readonly audited: readonly AuditedOperation[];
  /** What the catalogue itself told, in order. */
  readonly events: readonly RegistryEvent[];
  /** `library` is public, `secret` is not. */
  readonly projects: ReadonlyMap<string, ProjectIdentity>;
  readonly #blobs: Map<string, Uint8Array>;
  readonly #server: HttpServer;
  readonly #origin: string;

  private constructor(parts: {
    database: TemporaryDatabase;
    store: RepositoryStore;
    projects: ReadonlyMap<string, ProjectIdentity>;
    blobs: Map<string, Uint8Array>;
    server: HttpServer;
    origin: string;
    audited: AuditedOperation[];
    events: RegistryEvent[];
  }) {
    this.database = parts.database;
    this.store = parts.store;
    this.projects = parts.projects;
    this.#blobs = parts.blobs;
    this.#server = parts.server;
    this.#origin = parts.origin;
    this.audited = parts.audited;
    this.events = parts.events;
  }

  static async open(open: OpenTemporaryDatabase, extra: Partial<CatalogDeps> = {}): Promise<CatalogWorld> {
    const database = await open();
    const projects = await addProjects(database);
    const blobs = new Map<string, Uint8Array>();
    const read = async (digest: string): Promise<Readable> => {
      const content = blobs.get(digest);
      if (content !== undefined) return Readable.from([content]);
      throw new VicError({ class: 'NotFound', code: 'BLOB_UNKNOWN', message: `no blob ${digest}` });
    };
    const immutability = new Immutability({ database });
    const gates = [new ImmutabilityGate({ database, immutability })];
    const store = new RepositoryStore({ database, blobs: { read }, logger: silentLogger(), gates });
    const server = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
    const audited: AuditedOperation[] = [];
    const events: RegistryEvent[] = [];
    const deps: CatalogDeps = {
      database,
      store,
      blobs: { read },
      immutability,
      appendEvent: async (transaction, event) => {
        events.push(event);
        await appendEvent(transaction, event);
      },
      projects: {
        visibleTo: async (principal) => (principal.kind === 'anonymous' ? [projects.get('library')?.id ?? 0] : 'all'),
        describe: async (ids) => ids.map((id) => ({ project_id: id })),
      },
      ...extra,
    };
    await registerRest(
      server.app,
      { prefix: '/api/v2.0', logger: silentLogger(), services: servicesOf(projects, audited) },
      [catalogRoutes(deps), immutabilityRoutes(immutability)],
    );
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const origin = `http://127.0.0.1:${'port' in address ? address.port : 0}/api/v2.0`;
    return new CatalogWorld({ database, store, projects, blobs, server, origin, audited, events });
  }

  /** Calls the API as `admin`, unless `as` says otherwise; `null` is nobody. */
  async call(
    method: string,
    path: string,
    options: { readonly as?: string | null; readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const as = options.as === undefined ? 'admin' : options.as;
    const response = await fetch(
      path.startsWith('/api') ? this.#origin.replace('/api/v2.0', path) : `${this.#origin}${path}`,
      {
        method,
        headers: {
          ...(as === null ? {} : { authorization: `Test ${as}` }),
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      },
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
  }

  /** Pushes an artifact into `project/repository`. */
  async push(repository: string, artifact: TestArtifact = {}): Promise<Pushed> {
    const config = Buffer.from(JSON.stringify(artifact.config?.json ?? { architecture: 'amd64', os: 'linux' }));
    const layers: NonNullable<TestArtifact['layers']> = artifact.layers ?? [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar', content: Buffer.from(`${repository}${Math.random()}`) },
    ];
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      ...(artifact.artifactType === undefined ? {} : { artifactType: artifact.artifactType }),
      config: await this.#blob(repository, artifact.config?.mediaType ?? OCI_CONFIG, config),
      layers: await Promise.all(
        layers.map(async ({ mediaType, content, name }) => ({
          ...(await this.#blob(repository, mediaType, content)),
          ...(name === undefined ? {} : { annotations: { 'org.opencontainers.image.title': name } }),
        })),
      ),
      ...(artifact.subject === undefined ? {} : { subject: { mediaType: OCI_MANIFEST, ...artifact.subject } }),
      ...(artifact.annotations === undefined ? {} : { annotations: artifact.annotations }),
    };
    return this.#manifest(repository, OCI_MANIFEST, manifest, artifact.tags ?? []);
  }

  /** Pushes an index of artifacts that are there. */
  async pushIndex(repository: string, members: readonly Pushed[], tags: readonly string[]): Promise<Pushed> {
    const manifests = members.map((member, index) => ({
      ...member,
      platform: { architecture: index === 0 ? 'amd64' : 'arm64', os: 'linux' },
    }));
    return this.#manifest(repository, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, tags);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close(0);
    await this.store[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }

  async #blob(repository: string, mediaType: string, content: Uint8Array): Promise<object> {
    const digest = digestOfBytes(content);
    this.#blobs.set(digest, content);
    await this.store.linkBlob(this.#place(repository), { digest, sizeBytes: content.byteLength });
    return { mediaType, digest, size: content.byteLength };
  }

  async #manifest(repository: string, mediaType: string, document: object, tags: readonly string[]): Promise<Pushed> {
    const content = Buffer.from(JSON.stringify(document));
    const digest = digestOfBytes(content);
    const actor = { principal: principalNamed('admin') };
    await this.store.putManifest(this.#place(repository), actor, { content, mediaType, digest, tags });
    return { digest, size: content.byteLength, mediaType };
  }

  #place(repository: string): { project: ProjectIdentity; repository: string } {
    const project = this.projects.get(repository.split('/')[0] ?? '');
    if (project === undefined) throw new Error(`no project of ${repository}`);
    return { project, repository };
  }
}

async function addProjects({ db }: TemporaryDatabase): Promise<ReadonlyMap<string, ProjectIdentity>> {
  const projects = new Map<string, ProjectIdentity>();
  for (const [name, isPublic] of [
    ['library', true],
    ['secret', false],
  ] as const) {
    const { id } = await db
      .insertInto('projects')
      .values({ name, owner_id: 1, public: isPublic ? 1 : 0, metadata: '{}', created_at_ms: 1, updated_at_ms: 1 })
      .returning('id')
      .executeTakeFirstOrThrow();
    projects.set(name, { id, name, public: isPublic });
  }
  return projects;
}

function servicesOf(
  projects: ReadonlyMap<string, ProjectIdentity>,
  audited: AuditedOperation[],
): Parameters<typeof registerRest>[1]['services'] {
  return {
    authenticate: async ({ authorization }) => principalNamed(authorization?.split(' ')[1]),
    authorizer: {
      isAllowed: async (principal, { resource, action }, project) => {
        const reads = ['read', 'list', 'pull'].includes(action);
        if (principal.kind !== 'user') return reads && project?.public === true && resource !== 'member';
        if (principal.systemAdministrator) return true;
        return project !== undefined && (principal.name === 'dev' || reads);
      },
    },
    findProject: async (nameOrId) =>
      projects.get(nameOrId) ?? [...projects.values()].find(({ id }) => String(id) === nameOrId),
    isReadOnly: async () => false,
    record: async (operation) => void audited.push(operation),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
