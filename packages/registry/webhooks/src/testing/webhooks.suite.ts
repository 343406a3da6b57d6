import { createHmac, randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProjectIdentity } from '@vic/authz';
import { pollUntil } from '@vic/async';
import { EventConsumers, appendEvent } from '@vic/events';
import { createHttpServer } from '@vic/http';
import { JobRunner, Jobs } from '@vic/jobs';
import { silentLogger } from '@vic/log';
import type { RegistryEvent } from '@vic/registry-api';
import { registerRest, restErrorResponse } from '@vic/rest';
import { SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import {
  AddressGuard,
  WEBHOOK_VENDOR,
  WebhookConsumer,
  WebhookDelivery,
  WebhookPolicies,
  webhookRoutes,
} from '../index.ts';

const DEADLINE_MS = 20_000;
const BASE = '/api/v2.0/projects/team/webhook';
const SECRET = 'a signing secret of ours';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that notes what it is told, and answers what a test wants. */
async function receiver(): Promise<
  {
    readonly url: string;
    readonly received: Received[];
    answer: number;
    location: string | undefined;
  } & AsyncDisposable
> {
  const received: Received[] = [];
  const state = { answer: 200, location: undefined as string | undefined };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      response.writeHead(state.answer, state.location === undefined ? {} : { location: state.location }).end('private');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  });
}

type Call = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
) => Promise<{ readonly status: number; readonly location: string; readonly body: unknown; readonly text: string }>;

interface World extends AsyncDisposable {
  readonly projectId: number;
  readonly call: Call;
  readonly tell: (...events: RegistryEvent[]) => Promise<void>;
  readonly pushed: (tag: string) => RegistryEvent;
}

/** Webhooks with their consumer, runner and API, of one project whose caller may everything. */
async function webhookWorld(
  database: Database,
  options: { readonly allowed?: readonly string[]; readonly maxAttempts?: number; readonly retryMs?: number } = {},
): Promise<World> {
  const projectId = await addProject(database);
  const project: ProjectIdentity = { id: projectId, name: 'team', public: true };
  const logger = silentLogger();
  const policies = new WebhookPolicies({ database, secrets: new SecretBox(randomBytes(32)) });
  const jobs = new Jobs(database);
  const guard = new AddressGuard(options.allowed ?? ['127.0.0.1']);
  await using stack = new AsyncDisposableStack();
  const delivery = stack.use(
    new WebhookDelivery({
      policies,
      guard,
      maxAttempts: options.maxAttempts ?? 3,
      retryMs: options.retryMs ?? 20,
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

async function addProject(database: Database): Promise<number> {
  const { id } = await database.db
    .insertInto('projects')
    .values({ name: 'team', owner_id: 1, public: 1, metadata: '{}', created_at_ms: 0, updated_at_ms: 0 })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

function policy(address: string, changes: object = {}, target: object = {}): object {
  return {
    name: 'hook',
    enabled: true,
    event_types: ['PUSH_ARTIFACT'],
    targets: [{ type: 'http', address, ...target }],
    signing_secret: SECRET,
    ...changes,
  };
}

async function until<T>(probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  return pollUntil(probe, 10, AbortSignal.timeout(DEADLINE_MS));
}

/** The first execution of a policy once it has ended, and its log. */
async function ended(world: World, location: string): Promise<{ status: string; taskLog: string; task: unknown }> {
  const execution = await until(async () => {
    const { body } = await world.call('GET', `${location}/executions`);
    return (body as { id: number; status: string }[]).find(({ status }) => status !== 'Running');
  });
  const tasks = `${location}/executions/${execution.id}/tasks`;
  const [task] = (await world.call('GET', tasks)).body as { id: number }[];
  const { text } = await world.call('GET', `${tasks}/${task?.id}/log`);
  return { status: execution.status, taskLog: text, task };
}

/** What webhooks promise on every database. */
export const webhooksSuite: DialectSuite = (open) => {
  describe('a policy', () => {
    it('is made, shown without secrets, changed and removed', async () => {
      await using database = await open();
      await using world = await webhookWorld(database);
      const made = await world.call(
        'POST',
        '/policies',
        policy('https://ci.example/x', {}, { auth_header: 'Bearer k' }),
      );
      expect(made).toMatchObject({ status: 201, text: '' });
      const shown = await world.call('GET', made.location);
      expect(shown.body).toMatchObject({
        name: 'hook',
        project_id: world.projectId,
        creator: 'alice',
        enabled: true,
        event_types: ['PUSH_ARTIFACT'],
        targets: [{ type: 'http', address: 'https://ci.example/x', payload_format: 'Default', auth_header_set: true }],
      });
      expect(shown.text).not.toMatch(/Bearer|signing|sealed|v1:/);
      expect((await world.call('POST', '/policies', policy('https://ci.example/y'))).status).toBe(409);
      const changed = policy('https://ci.example/x', { name: 'other', enabled: false });
      expect((await world.call('PUT', made.location, changed)).status).toBe(200);
      expect((await world.call('GET', made.location)).body).toMatchObject({
        name: 'other',
        enabled: false,
        targets: [{ auth_header_set: true }],
      });
      expect(
        (await world.call('PUT', made.location, policy('https://ci.example/x', {}, { auth_header: '' }))).status,
      ).toBe(200);
      expect((await world.call('GET', made.location)).body).toMatchObject({ targets: [{ auth_header_set: false }] });
      expect((await world.call('GET', '/policies?q=name=hook')).body).toHaveLength(1);
      expect((await world.call('DELETE', made.location)).status).toBe(200);
      expect((await world.call('GET', made.location)).status).toBe(404);
    });

    it('gets a signing secret that is told once', async () => {
      await using database = await open();
      await using world = await webhookWorld(database);
      const made = await world.call('POST', '/policies', policy('https://a.example/', { signing_secret: undefined }));
      expect(made.body).toMatchObject({ id: expect.any(Number), signing_secret: expect.stringMatching(/^whsec_/) });
      const rows = await database.db.selectFrom('webhook_policies').select('signing_secret').execute();
      expect(rows[0]?.signing_secret).toMatch(/^v1:/);
    });

    it('is refused when it cannot be carried out', async () => {
      await using database = await open();
      await using world = await webhookWorld(database);
      const good = policy('https://a.example/');
      for (const wrong of [
        policy('ftp://a.example/'),
        policy('https://user:pw@a.example/'),
        policy('nonsense'),
        policy('https://a.example/', {}, { type: 'mail' }),
        policy('https://a.example/', {}, { payload_format: 'XML' }),
        policy('https://a.example/', {}, { type: 'slack', payload_format: 'Default' }),
        policy('https://a.example/', {}, { auth_header: 'a\r\nb: c' }),
        { ...good, targets: [] },
        { ...good, event_types: [] },
        { ...good, event_types: ['NONSENSE'] },
        { ...good, name: ' ' },
        { ...good, signing_secret: 'short' },
      ]) {
        expect((await world.call('POST', '/policies', wrong)).status, JSON.stringify(wrong)).toBe(400);
      }
    });

    it('tells what it can be set off by, and when it was', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database);
      expect((await world.call('GET', '/events')).body).toMatchObject({ notify_type: ['http', 'slack'] });
      await world.call('POST', '/policies', policy(target.url, { event_types: ['PUSH_ARTIFACT', 'PULL_ARTIFACT'] }));
      await world.tell(world.pushed('1.0'));
      await until(() => target.received[0]);
      const { body } = await world.call('GET', '/lasttrigger');
      expect(body).toMatchObject([
        { policy_name: 'hook', event_type: 'PUSH_ARTIFACT', last_trigger_time: expect.any(String) },
        { policy_name: 'hook', event_type: 'PULL_ARTIFACT' },
      ]);
      expect((body as object[])[1]).not.toHaveProperty('last_trigger_time');
    });
  });

  describe('a delivery', () => {
    it('tells in Harbor’s words, signed, with the auth header', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database);
      await world.call('POST', '/policies', policy(`${target.url}/path?x=1`, {}, { auth_header: 'Bearer k' }));
      await world.tell(world.pushed('1.0'));
      const { path, headers, body } = await until(() => target.received[0]);
      expect(path).toBe('/path?x=1');
      expect(JSON.parse(body)).toEqual({
        type: 'PUSH_ARTIFACT',
        occur_at: expect.any(Number),
        operator: 'alice',
        event_data: {
          resources: [{ digest: 'sha256:abc', tag: '1.0', resource_url: 'registry.example:8443/team/deep/app:1.0' }],
          repository: { name: 'deep/app', namespace: 'team', repo_full_name: 'team/deep/app', repo_type: 'public' },
        },
      });
      expect(headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer k' });
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      const signature = createHmac('sha256', SECRET).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    });

    it('goes to every target, as CloudEvents and to Slack too', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database);
      const targets = [
        { type: 'http', address: `${target.url}/cloud`, payload_format: 'CloudEvents' },
        { type: 'slack', address: `${target.url}/slack` },
      ];
      await world.call('POST', '/policies', policy(target.url, { targets }));
      await world.tell({ ...world.pushed('1.0'), operator: '<!channel>' });
      await until(() => target.received[1]);
      const cloud = target.received.find(({ path }) => path === '/cloud');
      expect(cloud?.headers['content-type']).toBe('application/cloudevents+json');
      expect(JSON.parse(cloud?.body ?? '')).toMatchObject({
        specversion: '1.0',
        id: cloud?.headers['webhook-id'],
        type: 'harbor.artifact.pushed',
        source: expect.stringMatching(/^\/projects\/\d+\/webhook\/policies\/\d+$/),
        data: { repository: { repo_full_name: 'team/deep/app' } },
      });
      const slack = target.received.find(({ path }) => path === '/slack');
      expect(JSON.parse(slack?.body ?? '')).toHaveProperty('blocks');
      expect(slack?.body).toContain('&lt;!channel&gt;');
    });

    it('is tried again with the same id until it is taken', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database);
      target.answer = 500;
      const { location } = await world.call('POST', '/policies', policy(target.url));
      await world.tell(world.pushed('1.0'));
      await until(() => target.received[0]);
      target.answer = 204;
      const { status, taskLog, task } = await ended(world, location);
      expect(status).toBe('Success');
      expect(taskLog).toContain('Answered 500');
      expect(taskLog).toContain('Answered 204');
      expect(taskLog).not.toContain('private');
      expect(task).toMatchObject({ extra_attrs: { event_type: 'PUSH_ARTIFACT', response_status: 204 } });
      expect(new Set(target.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    });

    it('is given up after its last try', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database, { maxAttempts: 2 });
      target.answer = 302;
      target.location = `${target.url}/elsewhere`;
      const { location } = await world.call('POST', '/policies', policy(target.url));
      await world.tell(world.pushed('1.0'));
      expect(await ended(world, location)).toMatchObject({ status: 'Error' });
      expect(target.received.map(({ path }) => path)).toEqual(['/', '/']);
    });

    it('is not made for events, projects and policies that are not asked for', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database);
      await world.call('POST', '/policies', policy(`${target.url}/off`, { name: 'off', enabled: false }));
      await world.call('POST', '/policies', policy(`${target.url}/on`));
      await world.tell(
        { ...world.pushed('1.0'), type: 'artifact.pulled' } as RegistryEvent,
        { ...world.pushed('1.0'), projectId: world.projectId + 1 },
        { type: 'project.created', projectId: world.projectId, projectName: 'team', operator: 'alice' },
        world.pushed('2.0'),
      );
      await until(() => target.received[0]);
      expect(target.received.map(({ path, body }) => [path, body.includes('2.0')])).toEqual([['/on', true]]);
    });

    it('follows a policy that is changed, and none that is removed', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database, { retryMs: 300 });
      target.answer = 500;
      const { location } = await world.call('POST', '/policies', policy(target.url));
      await world.tell(world.pushed('1.0'));
      await until(() => target.received[0]);
      await world.call('PUT', location, policy(target.url, {}, { auth_header: 'Bearer new' }));
      target.answer = 200;
      const second = await until(() => target.received[1]);
      expect(second.headers.authorization).toBe('Bearer new');
      await until(async () => ((await ended(world, location)).status === 'Success' ? true : undefined));
      await world.call('DELETE', location);
      expect(await database.db.selectFrom('job_execution').select('id').execute()).toEqual([]);
    });

    it('does not go to addresses that are closed, by whatever name', async () => {
      await using database = await open();
      await using target = await receiver();
      await using world = await webhookWorld(database, { allowed: [], maxAttempts: 1 });
      const { port } = new URL(target.url);
      for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433']) {
        const { location } = await world.call('POST', '/policies', policy(`http://${host}:${port}/`, { name: host }));
        await world.tell(world.pushed(host));
        const { status, task } = await ended(world, location);
        expect([host, status]).toEqual([host, 'Error']);
        expect(task).toMatchObject({ status_message: expect.stringContaining('may not be sent') });
        await world.call('DELETE', location);
      }
      expect(target.received).toEqual([]);
    });
  });

  it('an event that is told twice sets a policy off once', async () => {
    await using database = await open();
    const projectId = await addProject(database);
    const policies = new WebhookPolicies({ database, secrets: new SecretBox(randomBytes(32)) });
    const target = { type: 'http', address: 'https://a.example/', payloadFormat: undefined };
    await policies.create(
      projectId,
      {
        name: 'hook',
        description: '',
        enabled: true,
        targets: [{ ...target, skipCertificateCheck: false, authHeader: undefined }],
        eventTypes: ['PUSH_ARTIFACT'],
        signingSecret: undefined,
      },
      'alice',
    );
    const consumer = new WebhookConsumer({
      database,
      policies,
      jobs: new Jobs(database),
      projects: { findById: async () => undefined },
      registryHost: 'r',
      isEnabled: async () => true,
    });
    const event = { type: 'artifact.pushed', projectId, projectName: 'team', operator: 'a', tags: [] } as const;
    const subject = { artifactId: 1, repository: 'team/a', digest: 'sha256:1', mediaType: '', artifactType: 'IMAGE' };
    const stored = { position: 7, occurredAtMs: 0, event: { ...event, ...subject } };
    await consumer.consume([stored]);
    await consumer.consume([stored, { ...stored, position: 8 }]);
    expect(await database.db.selectFrom('job_execution').select('id').execute()).toHaveLength(2);
  });
};
