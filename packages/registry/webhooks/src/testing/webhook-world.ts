import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProjectIdentity } from '@vic/authz';
import { EventConsumers, appendEvent } from '@vic/events';
import { createHttpServer } from '@vic/http';
import { JobRunner, Jobs } from '@vic/jobs';
import { silentLogger } from '@vic/log';
import type { RegistryEvent } from '@vic/registry-api';
import { registerRest, restErrorResponse } from '@vic/rest';
import { SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import {
  AddressGuard,
  WEBHOOK_VENDOR,
  WebhookConsumer,
  WebhookDelivery,
  WebhookPolicies,
  webhookRoutes,
} from '../index.ts';

const BASE = '/api/v2.0/projects/team/webhook';

/** A request that a {@link receiver} got. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that notes what it is told, and answers what a test wants. */
export async function receiver(): Promise<
  {
    readonly url: string;
    readonly received: Received[];
    /** What the first requests are answered, one after another; the others are answered `answer`. */
    readonly first: (number | Promise<number>)[];
    answer: number;
    location: string | undefined;
  } & AsyncDisposable
> {
  const received: Received[] = [];
  const first: (number | Promise<number>)[] = [];
  const state = { answer: 200, location: undefined as string | undefined };
  const answer = async (request: Received, response: ServerResponse): Promise<void> => {
    received.push(request);
    const status = await (first.shift() ?? state.answer);
    response.writeHead(status, state.location === undefined ? {} : { location: state.location }).end('private');
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => void answer({ path: request.url ?? '', headers: request.headers, body }, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    received,
    first,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  });
}

/** Calls the API below the project's webhooks; `Location` is given relative to that. */
export type Call = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
) => Promise<{ readonly status: number; readonly location: string; readonly body: unknown; readonly text: string }>;

/** Webhooks of one project, ready to be set off. */
export interface World extends AsyncDisposable {
  readonly projectId: number;
  readonly call: Call;
  readonly tell: (...events: RegistryEvent[]) => Promise<void>;
  readonly pushed: (tag: string) => RegistryEvent;
}

/** Webhooks with their consumer, runner and API, of one project whose caller may everything. */
export async function webhookWorld(
  database: Database,
  options: {
    readonly allowed?: readonly string[];
    /** Without, addresses are checked at delivery alone: as names that stood for another when their policy was made. */
    readonly checksUrls?: boolean;
    readonly maxAttempts?: number;
  } = {},
): Promise<World> {
  const projectId = await addProject(database);
  const project: ProjectIdentity = { id: projectId, name: 'team', public: true };
  const logger = silentLogger();
  const guard = new AddressGuard(options.allowed ?? ['127.0.0.1']);
  const policies = new WebhookPolicies({
    database,
    secrets: new SecretBox(randomBytes(32)),
    guard: { checkUrl: async (url) => (options.checksUrls === true ? guard.checkUrl(url) : undefined) },
  });
  const jobs = new Jobs(database);
  await using stack = new AsyncDisposableStack();
  const delivery = stack.use(
    new WebhookDelivery({
      policies,
      guard,
      maxAttempts: options.maxAttempts ?? 3,
      retryMs: 20,
    }),
  );
  const runner = new JobRunner({ database, logger }, { kinds: [delivery], vendors: [WEBHOOK_VENDOR] }, { pollMs: 20 });
  const consumer = new WebhookConsumer({
    database,
    policies,
    jobs,
    projects: { findById: async () => project },
    registryHost: 'registry.example:8443',
    isEnabled: async () => true,
  });
  const consumers = stack.use(new EventConsumers({ database, logger }, [consumer], { pollMs: 20 }));
  stack.use(runner);
  const server = stack.use(createHttpServer({ logger, errorResponse: restErrorResponse }));
  const services = {
    authenticate: async () =>
      ({ kind: 'user', id: 1, name: 'alice', systemAdministrator: true, groupIds: [] }) as const,
    authorizer: { isAllowed: async () => true },
    findProject: async (name: string) => (name === 'team' ? project : undefined),
    isReadOnly: async () => false,
    record: async () => undefined,
  };
  await registerRest(server.app, { prefix: '/api/v2.0', services, logger }, [webhookRoutes({ policies, jobs })]);
  await consumers.start();
  runner.start();
  const resources = stack.move();
  return {
    projectId,
    call: async (method, path, body) => {
      const response = await server.app.inject({
        method,
        url: `${BASE}${path}`,
        ...(body === undefined ? {} : { payload: body }),
      });
      const text = response.body;
      const isJson = String(response.headers['content-type'] ?? '').includes('json');
      return {
        status: response.statusCode,
        location: String(response.headers['location'] ?? '').slice(BASE.length),
        text,
        body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
      };
    },
    tell: async (...events) => {
      await database.transaction(async (transaction) => {
        for (const event of events) await appendEvent(transaction, event);
      });
    },
    pushed: (tag) => ({
      type: 'artifact.pushed',
      projectId,
      projectName: 'team',
      operator: 'alice',
      artifactId: 1,
      repository: 'team/deep/app',
      digest: 'sha256:abc',
      tags: [tag],
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'IMAGE',
    }),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  };
}

/** Adds the project that policies belong to. */
export async function addProject(database: Database): Promise<number> {
  const { id } = await database.db
    .insertInto('projects')
    .values({ name: 'team', owner_id: 1, public: 1, metadata: '{}', created_at_ms: 0, updated_at_ms: 0 })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
