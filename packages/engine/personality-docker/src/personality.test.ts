import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Answer, request } from './testing/api-client.ts';
import { contractFixture } from './testing/api-schema.ts';
import { type MemoryVch, startMemoryVch } from './testing/memory-vch.ts';

let vch: MemoryVch;
beforeAll(async () => {
  vch = await startMemoryVch();
});
afterAll(async () => vch[Symbol.asyncDispose]());

const send = async (method: string, path: string, body?: unknown): Promise<Answer> =>
  request(vch.url, method, path, body);
const create = async (name: string, config: object = {}): Promise<string> => {
  const answer = await send('POST', `/v1.50/containers/create?name=${name}`, {
    Image: 'busybox',
    Cmd: ['sleep', '100'],
    ...config,
  });
  expect(answer.text).toContain('"Id"');
  return (answer.json() as { Id: string }).Id;
};

describe('versions and routes', () => {
  it('tells versions and capabilities in the headers of _ping', async () => {
    const get = await send('GET', '/_ping');
    expect(get.text).toBe('OK');
    const head = await send('HEAD', '/_ping');
    expect(head.status).toBe(200);
    for (const { headers } of [get, head]) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'api-version': '1.50',
        ostype: 'linux',
        'docker-experimental': 'false',
        'builder-version': '1',
        swarm: 'inactive',
        'cache-control': 'no-cache, no-store, must-revalidate',
        pragma: 'no-cache',
      });
      expect(headers.get('server')).toMatch(/^Docker\/\S+ \(linux\)$/);
    }
  });

  it("refuses versions it does not speak, in Docker's words", async () => {
    const newer = await send('GET', '/v1.51/version');
    expect([newer.status, newer.json()]).toEqual([
      400,
      { message: 'client version 1.51 is too new. Maximum supported API version is 1.50' },
    ]);
    const older = await send('GET', '/v1.23/version');
    expect(older.status).toBe(400);
    expect(older.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(older.text).toBe(
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    );
    expect((await send('GET', '/v1.24/version')).status).toBe(200);
  });

  it('answers unknown paths with "page not found"', async () => {
    for (const path of ['/nosuch', '/v1.50/containers', '/containers/%ff/json', '/v1.50/']) {
      const answer = await send('GET', path);
      expect([answer.status, answer.json()]).toEqual([404, { message: 'page not found' }]);
    }
  });

  it('knows every operation of API 1.50: served, or refused by name', async () => {
    const { paths } = parse(contractFixture('docker-api-1.50.yaml')) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    );
    expect(operations.length).toBeGreaterThan(100);
    const unknown: string[] = [];
    for (const [method, path] of operations) {
      if (path === '/events') continue;
      const answer = await send(method, path.replaceAll(/\{\w+\}/g, 'nosuch'));
      if (answer.text.includes('page not found')) unknown.push(`${method} ${path}`);
      expect([504, 505, 507], `${method} ${path}`).not.toContain(answer.status);
      expect(answer.text, `${method} ${path}`).not.toMatch(/undefined|\[object/);
    }
    expect(unknown).toEqual([]);
  });

  it('refuses what it does not serve with 501 and what to do instead, and swarm with 503', async () => {
    const top = await send('GET', '/containers/x/top');
    expect([top.status, top.json()]).toEqual([
      501,
      { message: 'VIC does not serve top yet: run ps with docker exec.' },
    ]);
    const swarm = await send('GET', '/v1.50/nodes');
    expect(swarm.status).toBe(503);
    expect(swarm.text).toContain('This node is not a swarm manager.');
    expect((await send('GET', '/volumes')).json()).toEqual({ Volumes: [], Warnings: null });
    expect((await send('GET', '/plugins')).json()).toEqual([]);
    expect((await send('POST', '/plugins/x/enable')).status).toBe(501);
    expect((await send('POST', '/images/create?fromSrc=-')).text).toContain('importing images (fromSrc)');
  });

  it('has no plugin of any name, so that docker inspect says that it found nothing', async () => {
    const plugin = await send('GET', '/plugins/nosuch/json');
    expect([plugin.status, plugin.json()]).toEqual([404, { message: 'plugin "nosuch" not found' }]);
  });

  it('prunes of networks, volumes and build cache find nothing, so that docker system prune goes on', async () => {
    expect((await send('POST', '/networks/prune')).json()).toEqual({ NetworksDeleted: null });
    expect((await send('POST', '/volumes/prune')).json()).toEqual({ VolumesDeleted: null, SpaceReclaimed: 0 });
    expect((await send('POST', '/build/prune')).json()).toEqual({ CachesDeleted: null, SpaceReclaimed: 0 });
    const unknown = await send('POST', '/networks/prune?filters={"nosuch":["1"]}');
    expect([unknown.status, unknown.json()]).toEqual([400, { message: "invalid filter 'nosuch'" }]);
  });

  it('wants JSON for JSON', async () => {
    const wrong = await request(vch.url, 'POST', '/containers/create', '{}', { 'Content-Type': 'text/plain' });
    expect([wrong.status, wrong.json()]).toEqual([
      400,
      { message: "unsupported Content-Type header (text/plain): must be 'application/json'" },
    ]);
    const empty = await send('POST', '/containers/create');
    expect([empty.status, empty.json()]).toEqual([
      400,
      { message: 'invalid JSON: got EOF while reading request body' },
    ]);
    expect((await send('POST', '/containers/create', '{')).status).toBe(400);
    expect((await send('POST', '/containers/create', { Image: 7 })).text).toMatch(/invalid JSON: Image/);
  });
});

describe('containers', () => {
  it('tells a missing image with 404, so that clients pull it', async () => {
    const answer = await send('POST', '/containers/create', { Image: 'absent:1' });
    expect([answer.status, answer.json()]).toEqual([404, { message: 'No such image: absent:1' }]);
  });

  it('refuses a network that is missing with 400, so that clients do not pull the image', async () => {
    const answer = await send('POST', '/containers/create', {
      Image: 'busybox',
      HostConfig: { NetworkMode: 'nosuch' },
    });
    expect([answer.status, answer.json()]).toEqual([400, { message: 'network nosuch not found' }]);
  });

  it('refuses a name that is taken, naming its holder', async () => {
    const id = await create('taken');
    const answer = await send('POST', '/containers/create?name=taken', { Image: 'busybox', Cmd: ['true'] });
    expect([answer.status, answer.json()]).toEqual([
      409,
      {
        message: `Conflict. The container name "/taken" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
      },
    ]);
    expect((await send('POST', '/containers/create?name=a/b', { Image: 'busybox' })).text).toContain(
      'only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    );
  });

  it('finds containers by name, slash and prefix, and says when there are several or none', async () => {
    const id = await create('findme');
    for (const reference of ['findme', '%2Ffindme', id, id.slice(0, 12)]) {
      expect((await send('GET', `/containers/${reference}/json`)).json()).toMatchObject({ Id: id, Name: '/findme' });
    }
    const none = await send('GET', '/containers/nosuch/json');
    expect([none.status, none.json()]).toEqual([404, { message: 'No such container: nosuch' }]);
  });

  it("goes through start, 304, kill, 409 and removal with Docker's statuses", async () => {
    const id = await create('life');
    expect((await send('POST', '/containers/life/start')).status).toBe(204);
    expect((await send('POST', '/containers/life/start')).status).toBe(304);
    const running = await send('DELETE', '/containers/life');
    expect([running.status, running.json()]).toEqual([
      409,
      {
        message:
          'cannot remove container "/life": container is running: stop the container before removing or force remove',
      },
    ]);
    expect((await send('POST', '/containers/life/kill?signal=NOSUCH')).json()).toEqual({
      message: 'Invalid signal: NOSUCH',
    });
    expect((await send('POST', '/containers/life/stop?t=1')).status).toBe(204);
    expect((await send('POST', '/containers/life/stop')).status).toBe(304);
    const kill = await send('POST', '/containers/life/kill');
    expect([kill.status, kill.json()]).toEqual([
      409,
      { message: `cannot kill container: life: container ${id} is not running` },
    ]);
    expect((await send('POST', '/containers/life/rename?name=')).json()).toEqual({
      message: 'Neither old nor new names may be empty',
    });
    expect((await send('POST', '/containers/life/rename?name=after')).status).toBe(204);
    expect((await send('DELETE', '/containers/after')).status).toBe(204);
    expect((await send('GET', `/containers/${id}/json`)).status).toBe(404);
  });

  it('keeps a container whose program is missing as created, with the exit code and the error', async () => {
    for (const [program, exitCode, words] of [
      ['nosuch', 127, 'executable file not found in $PATH'],
      ['not-executable', 126, 'permission denied'],
    ] as const) {
      const id = await create(`fails-${exitCode}`, { Cmd: [program] });
      const start = await send('POST', `/containers/${id}/start`);
      expect(start.status).toBe(400);
      expect(start.text).toContain(words);
      const { State } = (await send('GET', `/containers/${id}/json`)).json() as { State: Record<string, unknown> };
      expect(State).toMatchObject({
        Status: 'created',
        Running: false,
        ExitCode: exitCode,
        FinishedAt: '0001-01-01T00:00:00Z',
      });
      expect(State['Error']).toContain(words);
    }
  });

  it('refuses a start with a configuration in the body', async () => {
    await create('bodied');
    expect((await send('POST', '/containers/bodied/start', { Binds: ['/a:/b'] })).status).toBe(400);
    expect((await send('POST', '/containers/bodied/start', {})).status).toBe(204);
  });

  it('waits for each condition, and sends the head before the end', async () => {
    await create('awaited', { Cmd: ['cat'], OpenStdin: true, HostConfig: { AutoRemove: true } });
    expect((await send('POST', '/containers/awaited/wait?condition=bogus')).json()).toEqual({
      message: 'invalid condition: "bogus"',
    });
    expect((await send('POST', '/containers/awaited/wait')).json()).toEqual({ StatusCode: 0 });
    // fetch() resolves with the head, which must come while the container has not even started.
    const nextExit = await fetch(`${vch.url}/containers/awaited/wait?condition=next-exit`, { method: 'POST' });
    const removed = await fetch(`${vch.url}/containers/awaited/wait?condition=removed`, { method: 'POST' });
    await send('POST', '/containers/awaited/start');
    await send('POST', '/containers/awaited/kill?signal=9');
    expect(await nextExit.json()).toEqual({ StatusCode: 137 });
    expect(await removed.json()).toEqual({ StatusCode: 137 });
    expect((await send('GET', '/containers/awaited/json')).status).toBe(404);
  });

  it('lists what runs, newest first, and by filters in both forms', async () => {
    await create('ls-1', { Labels: { suite: 'ls', n: '1' } });
    await create('ls-2', { Labels: { suite: 'ls', n: '2' }, ExposedPorts: { '80/tcp': {} } });
    await send('POST', '/containers/ls-2/start');
    const names = async (query: string): Promise<string[]> =>
      ((await send('GET', `/containers/json?${query}`)).json() as { Names: string[] }[]).flatMap(({ Names }) => Names);
    const filters = (value: unknown): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;
    expect(await names(filters({ label: ['suite=ls'] }))).toEqual(['/ls-2']);
    expect(await names(`all=1&${filters({ label: { 'suite=ls': true } })}`)).toEqual(['/ls-2', '/ls-1']);
    expect(await names(`all=1&${filters({ label: { suite: true }, name: ['^/ls-1$'] })}`)).toEqual(['/ls-1']);
    expect(await names(filters({ status: ['created'], label: ['suite'] }))).toEqual(['/ls-1']);
    expect(await names(`all=1&${filters({ expose: ['80'], label: ['suite'] })}`)).toEqual(['/ls-2']);
    expect(await names(`all=1&${filters({ before: ['ls-2'], label: ['suite'] })}`)).toEqual(['/ls-1']);
    expect(await names(`all=1&${filters({ ancestor: ['busybox'], label: ['suite'] })}`)).toHaveLength(2);
    expect(await names(`all=1&${filters({ ancestor: ['nosuch'] })}`)).toEqual([]);
    expect(await names(`limit=1&${filters({ label: ['suite'] })}`)).toEqual(['/ls-2']);
    expect((await send('GET', `/containers/json?${filters({ nosuch: ['x'] })}`)).json()).toEqual({
      message: "invalid filter 'nosuch'",
    });
    expect((await send('GET', `/containers/json?${filters({ status: ['odd'] })}`)).json()).toEqual({
      message: "invalid filter 'status=odd'",
    });
    expect((await send('GET', '/containers/json?filters=nonsense')).json()).toEqual({ message: 'invalid filter' });
    const [up] = (await send('GET', `/containers/json?${filters({ name: ['ls-2'] })}`)).json() as Record<
      string,
      unknown
    >[];
    expect(up).toMatchObject({
      State: 'running',
      Image: 'busybox',
      Command: 'sleep 100',
      Ports: [{ PrivatePort: 80, Type: 'tcp' }],
    });
    expect(up?.['Status']).toMatch(/^Up /);
  });

  it('publishes ports once started and merges what the image says', async () => {
    await send('POST', '/images/create?fromImage=web&tag=1');
    const created = await send('POST', '/containers/create?name=web', {
      Image: 'web:1',
      Env: ['A=1', 'PATH=/x'],
      Labels: { own: 'yes' },
      HostConfig: {
        PortBindings: { '80/tcp': [{ HostPort: '' }], '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }] },
      },
    });
    expect((created.json() as { Warnings: string[] }).Warnings).toEqual([expect.stringMatching(/^Volumes: /)]);
    await send('POST', '/containers/web/start');
    const inspected = (await send('GET', '/containers/web/json')).json();
    expect(inspected).toMatchObject({
      Path: 'sleep',
      Args: ['100'],
      Config: {
        User: 'www',
        WorkingDir: '/srv',
        StopSignal: 'SIGQUIT',
        Env: ['A=1', 'PATH=/x'],
        Labels: { tier: 'front', own: 'yes' },
      },
      NetworkSettings: {
        IPAddress: expect.stringMatching(/^172\.16\./),
        Ports: {
          '80/tcp': [{ HostIp: '0.0.0.0', HostPort: expect.stringMatching(/^\d+$/) }],
          '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }],
        },
      },
    });
    await send('DELETE', '/containers/web?force=1');
  });

  it('prunes containers that do not run', async () => {
    const id = await create('prunable', { Labels: { pruned: 'yes' } });
    const filters = encodeURIComponent(JSON.stringify({ label: ['pruned=yes'] }));
    expect((await send('POST', `/containers/prune?filters=${filters}`)).json()).toEqual({
      ContainersDeleted: [id],
      SpaceReclaimed: 0,
    });
    expect((await send('POST', `/containers/prune?filters=${filters}`)).json()).toEqual({
      ContainersDeleted: null,
      SpaceReclaimed: 0,
    });
  });
});

describe('images, registries and networks', () => {
  it('pulls with progress, and tells late failures in the last line', async () => {
    const pulled = await send('POST', '/images/create?fromImage=web&tag=1');
    const lines = pulled.text
      .trim()
      .split('\r\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toEqual({ status: 'Pulling from library/web', id: '1' });
    expect(lines.at(-1)?.['status']).toMatch(/^Status: (Downloaded newer image|Image is up to date) for web:1$/);
    const missing = await send('POST', '/images/create?fromImage=nosuch&tag=latest');
    expect(missing.status).toBe(404);
    expect(missing.text).toContain('pull access denied for nosuch');
    const broken = await send('POST', '/images/create?fromImage=broken');
    expect(broken.status).toBe(200);
    expect(JSON.parse(broken.text.trim().split('\r\n').at(-1) ?? '')).toEqual({
      errorDetail: { message: 'filesystem layer verification failed' },
      error: 'filesystem layer verification failed',
    });
  });

  it('tags, untags and refuses to remove what is in use', async () => {
    expect((await send('POST', '/images/busybox/tag?repo=registry.test:5000/team/box&tag=v1')).status).toBe(201);
    expect((await send('GET', '/images/registry.test:5000/team/box:v1/json')).json()).toMatchObject({
      RepoTags: ['busybox:latest', 'registry.test:5000/team/box:v1'],
    });
    await create('user-of-busybox');
    expect((await send('DELETE', '/images/registry.test:5000/team/box:v1')).json()).toEqual([
      { Untagged: 'registry.test:5000/team/box:v1' },
    ]);
    const used = await send('DELETE', '/images/busybox');
    expect(used.status).toBe(409);
    expect(used.text).toContain('unable to remove repository reference');
    const none = await send('GET', '/images/nosuch/json');
    expect([none.status, none.json()]).toEqual([404, { message: 'No such image: nosuch:latest' }]);
  });

  it('lists of the names of an image those that match the reference', async () => {
    await send('POST', '/images/busybox/tag?repo=registry.test:5000/team/listed&tag=v1');
    const matching = async (reference: string): Promise<unknown> => {
      const filters = encodeURIComponent(JSON.stringify({ reference: [reference] }));
      const images = (await send('GET', `/images/json?filters=${filters}`)).json() as { RepoTags: string[] }[];
      return images.map(({ RepoTags }) => RepoTags);
    };
    expect(await matching('registry.test:5000/team/listed')).toEqual([['registry.test:5000/team/listed:v1']]);
    expect(await matching('registry.test:5000/team/*:v1')).toEqual([['registry.test:5000/team/listed:v1']]);
    expect(await matching('busy*')).toEqual([['busybox:latest']]);
    expect(await matching('listed')).toEqual([]);
    await send('DELETE', '/images/registry.test:5000/team/listed:v1');
  });

  it('checks credentials with the registry', async () => {
    expect((await send('POST', '/auth', { username: 'ann', password: 'right', serveraddress: 'r' })).json()).toEqual({
      Status: 'Login Succeeded',
    });
    const wrong = await send('POST', '/auth', { username: 'ann', password: 'wrong', serveraddress: 'r' });
    expect([wrong.status, wrong.json()]).toEqual([401, { message: 'incorrect username or password' }]);
  });

  it('shows the containers of a network', async () => {
    const id = await create('networked');
    await send('POST', '/containers/networked/start');
    const bridge = (await send('GET', '/networks/bridge')).json() as { Containers: Record<string, unknown> };
    expect(bridge.Containers[id]).toMatchObject({ Name: 'networked', IPv4Address: expect.stringMatching(/\/16$/) });
    expect((await send('GET', '/networks/nosuch')).json()).toEqual({ message: 'network nosuch not found' });
    await send('DELETE', '/containers/networked?force=1');
  });
});
