import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openFsBlobStore } from '@vic/blob';
import type { BlobStore } from '@vic/blob';
import { catalogRoutes } from '@vic/catalog';
import { registerDistribution } from '@vic/distribution';
import { appendEvent, EventConsumers } from '@vic/events';
import { createHttpServer } from '@vic/http';
import type { HttpApplication } from '@vic/http';
import { JobRunner, Jobs, Schedules } from '@vic/jobs';
import { silentLogger } from '@vic/log';
import { CveAllowlists, ProjectMembers, projectRestRoutes, Projects } from '@vic/projects';
import type { ProjectsDeps } from '@vic/projects';
import type { RegistryEvent } from '@vic/registry-api';
import { type ArtifactGate, RepositoryStore } from '@vic/repositories';
import { registerRest, restErrorResponse } from '@vic/rest';
import type { RestServices } from '@vic/rest';
import { SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { ProxyCache, Replication } from '../index.ts';
import type { PromotionChecks } from '../index.ts';
import { principalOfHeader, TestAccess } from './test-access.ts';

/** Options of {@link TestSite.open}. */
export interface TestSiteOptions {
  readonly open: OpenTemporaryDatabase;
  readonly checks?: PromotionChecks;
  /** Of tags at upstreams; 0 asks each time. */
  readonly freshMs?: number;
  readonly reconcileEveryMs?: number;
  readonly checkEveryMs?: number;
  /** Of the repositories. */
  readonly gates?: readonly ArtifactGate[];
}

/** An answer of the REST API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A complete registry with replication in this process, on HTTP, that can be taken off the network. */
export class TestSite implements AsyncDisposable {
  readonly host: string;
  readonly database: Database;
  readonly store: RepositoryStore;
  readonly blobs: BlobStore;
  readonly projects: Projects;
  readonly replication: Replication;
  readonly events: EventConsumers;
  /** Requests seen on `/v2`, as `METHOD path`. */
  readonly requests: string[];
  readonly #app: () => Promise<Door>;
  readonly #resources: AsyncDisposableStack;
  #door: Door | undefined;

  private constructor(parts: SiteParts) {
    this.host = parts.host;
    this.database = parts.database;
    this.store = parts.store;
    this.blobs = parts.blobs;
    this.projects = parts.projects;
    this.replication = parts.replication;
    this.events = parts.events;
    this.requests = parts.requests;
    this.#app = parts.openDoor;
    this.#resources = parts.resources;
  }

  /** Starts a registry. */
  static async open(options: TestSiteOptions): Promise<TestSite> {
    await using onFailure = new AsyncDisposableStack();
    const site = new TestSite(await siteParts(options, onFailure));
    await site.connect();
    return site;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Listens for others. */
  async connect(): Promise<void> {
    this.#door ??= await this.#app();
  }

  /** Is not there for others any more, until {@link connect}. */
  async disconnect(): Promise<void> {
    await this.#door?.close();
    this.#door = undefined;
  }

  /** Writes an event, as another package would. */
  async tell(event: RegistryEvent): Promise<void> {
    await this.database.transaction(async (transaction) => appendEvent(transaction, event));
  }

  /** Calls the REST API as its administrator. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v2.0${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from('admin:secret').toString('base64')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
    await this.#resources.disposeAsync();
  }
}

interface Door {
  close(): Promise<void>;
}

interface SiteParts {
  readonly host: string;
  readonly database: Database;
  readonly store: RepositoryStore;
  readonly blobs: BlobStore;
  readonly projects: Projects;
  readonly replication: Replication;
  readonly events: EventConsumers;
  readonly requests: string[];
  readonly openDoor: () => Promise<Door>;
  readonly resources: AsyncDisposableStack;
}

async function siteParts(options: TestSiteOptions, onFailure: AsyncDisposableStack): Promise<SiteParts> {
  const logger = silentLogger();
  const directory = onFailure.use(await temporaryDirectory('vic-replication-'));
  const database = onFailure.use(await options.open());
  const blobs = onFailure.use(await openFsBlobStore({ directory: join(directory.path, 'blobs') }));
  const store = onFailure.use(new RepositoryStore({ database, blobs, logger, gates: options.gates ?? [] }));
  const cache = onFailure.use(new RepositoryStore({ database, blobs, logger, sparse: 'all' }));
  const host = `127.0.0.1:${await freePort()}`;
  const jobs = new Jobs(database);
  const secrets = new SecretBox(randomBytes(32));
  const around = aroundProjects(database);
  const projects = new Projects(around);
  const shared = { database, secrets, jobs, schedules: new Schedules(database), logger, repositories: store };
  const replication = onFailure.use(
    new Replication(
      { ...shared, blobs, projects, ...(options.checks === undefined ? {} : { checks: options.checks }) },
      {
        selfName: host,
        pollMs: 50,
        firstRetryMs: 50,
        reconcileEveryMs: options.reconcileEveryMs ?? 3_600_000,
        checkEveryMs: options.checkEveryMs ?? 3_600_000,
      },
    ),
  );
  const { endpoints, factory } = replication;
  const upstream = onFailure.use(
    new ProxyCache(
      { database, endpoints, factory, projects, repositories: cache, blobs, logger },
      { spoolDirectory: directory.path, freshMs: options.freshMs ?? 0 },
    ),
  );
  const runner = onFailure.use(
    new JobRunner({ database, logger }, { kinds: replication.jobKinds, vendors: [replication.vendor] }, { pollMs: 50 }),
  );
  const events = onFailure.use(new EventConsumers({ database, logger }, [replication.consumer], { pollMs: 50 }));
  await events.start();
  runner.start();
  replication.start();
  const requests: string[] = [];
  const access = new TestAccess(projects);
  const openDoor = async (): Promise<Door> => {
    const server = createHttpServer({ logger, errorResponse: restErrorResponse });
    server.app.addHook('onRequest', (request, _reply, done) => {
      if (request.url.startsWith('/v2')) requests.push(`${request.method} ${request.url}`);
      done();
    });
    await registerDistribution(server.app, { store, blobs, access, upstream, isReadOnly: async () => false, logger });
    await registerApi(server.app, { database, store, blobs, projects, around, replication });
    await server.listen({ host: '127.0.0.1', port: Number(host.split(':')[1]) });
    return { close: async () => server.close(0) };
  };
  const resources = onFailure.move();
  return { host, database, store, blobs, projects, replication, events, requests, openDoor, resources };
}

async function registerApi(
  app: HttpApplication,
  parts: Pick<SiteParts, 'blobs' | 'database' | 'projects' | 'replication' | 'store'> & {
    readonly around: ProjectsDeps;
  },
): Promise<void> {
  const { around, blobs, database, projects, replication, store } = parts;
  const visible = { visibleTo: async () => 'all' as const, describe: async () => [] };
  const members = new ProjectMembers({ database, accounts: around.accounts });
  const allowlists = new CveAllowlists({ database });
  const services: RestServices = {
    authenticate: async ({ authorization }) => principalOfHeader(authorization),
    authorizer: { isAllowed: async (principal) => principal.kind === 'user' },
    findProject: async (nameOrId, isName) => projects.find(nameOrId, isName),
    isReadOnly: async () => false,
    record: async () => undefined,
  };
  const projectCreation = async () => 'everyone' as const;
  await registerRest(app, { prefix: '/api/v2.0', logger: silentLogger(), services }, [
    ...projectRestRoutes({ ...around, projects, members, allowlists, projectCreation }),
    catalogRoutes({ database, store, blobs, projects: visible, appendEvent }),
    replication.routes,
  ]);
}

/** One administrator, no limits. */
function aroundProjects(database: Database): ProjectsDeps {
  const admin = { id: 1, name: 'admin' };
  return {
    database,
    accounts: {
      findUser: async () => admin,
      findKnownUser: async () => admin,
      findGroup: async () => undefined,
      userNames: async () => new Map([[1, 'admin']]),
      groupNames: async () => new Map(),
      firstAdministrator: async () => admin,
    },
    contents: { repositoryCount: async () => 0, repositoryCounts: async () => new Map() },
    quotas: {
      create: async () => undefined,
      set: async () => undefined,
      read: async () => ({ limitBytes: -1, usedBytes: 0 }),
    },
    registries: { check: async () => undefined, describe: async () => undefined },
    appendEvent,
  };
}
