import { createHmac, randomBytes } from 'node:crypto';
import { pollUntil } from '@vic/async';
import { Jobs } from '@vic/jobs';
import type { RegistryEvent } from '@vic/registry-api';
import { SecretBox } from '@vic/secrets';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { AddressGuard, WebhookConsumer, WebhookPolicies } from '../index.ts';
import { type World, addProject, receiver, webhookWorld } from './webhook-world.ts';

const DEADLINE_MS = 20_000;
const SECRET = 'a signing secret of ours';

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
      target.first.push(500);
      target.answer = 204;
      const { location } = await world.call('POST', '/policies', policy(target.url));
      await world.tell(world.pushed('1.0'));
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
      await using world = await webhookWorld(database);
      const { promise: firstAnswer, resolve: answerFirst } = Promise.withResolvers<number>();
      target.first.push(firstAnswer);
      const { location } = await world.call('POST', '/policies', policy(target.url));
      await world.tell(world.pushed('1.0'));
      await until(() => target.received[0]);
      await world.call('PUT', location, policy(target.url, {}, { auth_header: 'Bearer new' }));
      answerFirst(500);
      const second = await until(() => target.received[1]);
      expect(second.headers.authorization).toBe('Bearer new');
      expect(await ended(world, location)).toMatchObject({ status: 'Success' });
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

  it('refuses a policy whose address is closed, and says what opens it', async () => {
    await using database = await open();
    await using world = await webhookWorld(database, { allowed: ['127.0.0.9'], checksUrls: true });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '169.254.169.254']) {
      const refused = await world.call('POST', '/policies', policy(`http://${host}:8080/`));
      expect([host, refused.status]).toEqual([host, 400]);
      expect(refused.text).toContain('webhooks may not be sent to');
      expect(refused.text).toContain('webhookAddresses in the configuration file');
    }
    const { status, location } = await world.call('POST', '/policies', policy('http://127.0.0.9/'));
    expect(status).toBe(201);
    expect((await world.call('PUT', location, policy('http://127.0.0.1/'))).status).toBe(400);
    expect((await world.call('PUT', location, policy('http://127.0.0.9/', { enabled: false }))).status).toBe(200);
  });

  it('keeps a policy changeable whose address has been closed since', async () => {
    await using database = await open();
    const projectId = await addProject(database);
    const secrets = new SecretBox(randomBytes(32));
    const before = new WebhookPolicies({ database, secrets, guard: new AddressGuard(['127.0.0.1']) });
    const closed = new WebhookPolicies({ database, secrets, guard: new AddressGuard() });
    const target = { type: 'http', address: 'http://127.0.0.1/', payloadFormat: undefined, authHeader: undefined };
    const hook = {
      ...{ name: 'hook', description: '', enabled: true, eventTypes: ['PUSH_ARTIFACT'], signingSecret: undefined },
      targets: [{ ...target, skipCertificateCheck: false }],
    };
    const { id } = await before.create(projectId, hook, 'alice');
    await closed.update(projectId, id, { ...hook, enabled: false });
    expect(await closed.find(id)).toMatchObject({ enabled: false });
  });

  it('an event that is told twice sets a policy off once', async () => {
    await using database = await open();
    const projectId = await addProject(database);
    const policies = new WebhookPolicies({
      database,
      secrets: new SecretBox(randomBytes(32)),
      guard: { checkUrl: async () => undefined },
    });
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
