import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StdCopyDecoder } from '@vic/docker-api';
import { openRaw, request, upgradeRequest } from './testing/api-client.ts';
import { type MemoryVch, startMemoryVch } from './testing/memory-vch.ts';

let vch: MemoryVch;
beforeAll(async () => {
  vch = await startMemoryVch();
});
afterAll(async () => vch[Symbol.asyncDispose]());

let made = 0;
async function create(config: object): Promise<string> {
  const answer = await request(vch.url, 'POST', `/containers/create?name=stream-${++made}`, {
    Image: 'busybox',
    ...config,
  });
  return (answer.json() as { Id: string }).Id;
}
const start = async (id: string): Promise<unknown> => request(vch.url, 'POST', `/containers/${id}/start`);
const frames = (bytes: Uint8Array): string => {
  const decoder = new StdCopyDecoder();
  const text = decoder.push(bytes).map(({ stream, payload }) => `${stream}:${Buffer.from(payload).toString()}`);
  expect(decoder.incomplete).toBe(false);
  return text.join('');
};
const ALL = 'stream=1&stdin=1&stdout=1&stderr=1';

describe('attach', () => {
  it('takes the connection over before the start and loses nothing, with the exact head', async () => {
    const id = await create({ Cmd: ['sh', '-c', 'echo out; echo err >&2'] });
    const attached = await openRaw(
      vch.port,
      upgradeRequest(`/v1.50/containers/${id}/attach?stream=1&stdout=1&stderr=1`),
    );
    expect(attached.head).toBe(
      'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
    );
    // The command line closes its side at once when it has no input; output must still come.
    attached.socket.end();
    await start(id);
    const text = frames(await attached.rest());
    expect(text).toContain('stdout:out\n');
    expect(text).toContain('stderr:err\n');
  });

  it('answers clients older than 1.42 and those with a terminal with a raw stream', async () => {
    const plain = await create({ Cmd: ['echo', 'x'] });
    const old = await openRaw(vch.port, upgradeRequest(`/v1.41/containers/${plain}/attach?stream=1&stdout=1`));
    expect(old.head).toContain('application/vnd.docker.raw-stream');
    await start(plain);
    expect(frames(await old.rest())).toBe('stdout:x\n');
    const terminal = await create({ Cmd: ['echo', 'x'], Tty: true });
    const raw = await openRaw(vch.port, upgradeRequest(`/v1.50/containers/${terminal}/attach?stream=1&stdout=1`));
    expect(raw.head).toContain('application/vnd.docker.raw-stream');
    await start(terminal);
    expect((await raw.rest()).toString()).toBe('x\n');
  });

  it('serves clients that do not ask to upgrade with 200 and the same connection', async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    const attached = await openRaw(
      vch.port,
      `POST /containers/${id}/attach?${ALL} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(attached.head).toBe('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n');
    await start(id);
    attached.socket.end('hello');
    expect(frames(await attached.rest())).toBe('stdout:hello');
  });

  it("closes the input of a StdinOnce container with the client's, and ends when it stopped", async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    const attached = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}`));
    await start(id);
    attached.socket.end('to the end\n');
    expect(frames(await attached.rest())).toBe('stdout:to the end\n');
    expect(vch.execution.get(id).state.status).toBe('exited');
  });

  it('goes on with the output when the input ends and the container keeps its input open', async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true });
    const attached = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}`));
    await start(id);
    attached.socket.end('x');
    await attached.until('x');
    expect(vch.execution.get(id).state.status).toBe('running');
    await request(vch.url, 'DELETE', `/containers/${id}?force=1`);
  });

  it('lets a terminal go at the detach keys, even split, and publishes the event', async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true, Tty: true });
    const attached = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}&detachKeys=ctrl-a,b`));
    await start(id);
    attached.socket.write('typed\x01');
    await attached.until('typed');
    attached.socket.write('b not passed on');
    expect((await attached.rest()).toString()).toBe('typed');
    expect(vch.execution.get(id).state.status).toBe('running');
    const until = encodeURIComponent(new Date().toISOString());
    const events = await request(
      vch.url,
      'GET',
      `/events?since=1&until=${until}&filters=${encodeURIComponent(JSON.stringify({ container: [id], event: ['attach', 'detach'] }))}`,
    );
    expect(
      events.text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { Action: string }).Action),
    ).toEqual(['attach', 'detach']);
    await request(vch.url, 'DELETE', `/containers/${id}?force=1`);
  });

  it('replays the log first when asked to', async () => {
    const id = await create({ Cmd: ['sh', '-c', 'echo one; sleep 100'] });
    await start(id);
    const attached = await openRaw(
      vch.port,
      upgradeRequest(`/containers/${id}/attach?logs=1&stream=1&stdout=1&stderr=1`),
    );
    expect((await attached.until('one')).toString()).toContain('one\n');
    attached.socket.destroy();
    const replayed = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?logs=1&stdout=1`));
    expect(frames(await replayed.rest())).toBe('stdout:one\n');
    await request(vch.url, 'DELETE', `/containers/${id}?force=1`);
  });

  it('goes on with the container when the client is lost, and holds nothing back from others', async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true });
    const lost = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}`));
    const kept = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}`));
    await start(id);
    lost.socket.destroy();
    kept.socket.write('still here\n');
    expect(frames(await kept.until('still here'))).toBe('stdout:still here\n');
    kept.socket.destroy();
    await request(vch.url, 'DELETE', `/containers/${id}?force=1`);
  });

  it('carries megabytes through a slow reader without loss', async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    const attached = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}`));
    attached.socket.pause();
    await start(id);
    const sent = Buffer.alloc(3 * 1024 * 1024, 'abcdefg');
    attached.socket.end(sent);
    attached.socket.resume();
    const decoder = new StdCopyDecoder();
    const received = Buffer.concat(decoder.push(await attached.rest()).map(({ payload }) => payload));
    expect(received.equals(sent)).toBe(true);
  });

  it('answers errors as errors: no such container, bad detach keys', async () => {
    const missing = await openRaw(vch.port, upgradeRequest('/containers/nosuch/attach?stream=1'));
    expect(missing.head).toMatch(/^HTTP\/1\.1 404 /);
    expect((await missing.rest()).toString()).toContain('No such container: nosuch');
    const id = await create({ Cmd: ['echo'] });
    const keys = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?stream=1&detachKeys=nonsense`));
    expect(keys.head).toMatch(/^HTTP\/1\.1 400 /);
    keys.socket.destroy();
  });
});

describe('logs', () => {
  it('selects streams, lines and times, and stamps them with nine digits', async () => {
    const id = await create({ Cmd: ['sh', '-c', 'echo one; echo two >&2; echo three'] });
    await start(id);
    await request(vch.url, 'POST', `/containers/${id}/wait`);
    const logs = async (query: string): Promise<string> => {
      const response = await fetch(`${vch.url}/containers/${id}/logs?${query}`);
      expect(response.headers.get('content-type')).toBe('application/vnd.docker.multiplexed-stream');
      return frames(new Uint8Array(await response.arrayBuffer()));
    };
    expect(await logs('stdout=1&stderr=1')).toBe('stdout:one\nstderr:two\nstdout:three\n');
    expect(await logs('stdout=1')).toBe('stdout:one\nstdout:three\n');
    expect(await logs('stdout=1&tail=1')).toBe('stdout:three\n');
    expect(await logs('stdout=1&tail=0')).toBe('');
    expect(await logs('stdout=1&details=1&tail=1')).toBe('stdout: three\n');
    expect(await logs('stdout=1&tail=1&timestamps=1')).toMatch(
      /^stdout:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three\n$/,
    );
    expect(await logs(`stdout=1&since=${Math.floor(Date.now() / 1000) + 60}`)).toBe('');
    const none = await request(vch.url, 'GET', `/containers/${id}/logs`);
    expect([none.status, none.json()]).toEqual([
      400,
      { message: 'Bad parameters: you must choose at least one stream' },
    ]);
  });

  it('follows until the container stops', async () => {
    const id = await create({ Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    await start(id);
    const following = await fetch(`${vch.url}/containers/${id}/logs?stdout=1&follow=1`);
    const attached = await openRaw(vch.port, upgradeRequest(`/containers/${id}/attach?${ALL}`));
    attached.socket.end('later\n');
    await attached.rest();
    expect(frames(new Uint8Array(await following.arrayBuffer()))).toBe('stdout:later\n');
  });
});

describe('exec', () => {
  const createExec = async (id: string, body: object): Promise<string> => {
    const answer = await request(vch.url, 'POST', `/containers/${id}/exec`, {
      AttachStdout: true,
      AttachStderr: true,
      ...body,
    });
    expect(answer.status).toBe(201);
    return (answer.json() as { Id: string }).Id;
  };
  const inspect = async (exec: string): Promise<Record<string, unknown>> =>
    (await request(vch.url, 'GET', `/exec/${exec}/json`)).json() as Record<string, unknown>;

  it('runs beside the main process and knows the exit code when the stream ends', async () => {
    const id = await create({ Cmd: ['sleep', '100'] });
    await start(id);
    const exec = await createExec(id, { Cmd: ['sh', '-c', 'echo hi; exit 7'] });
    expect(await inspect(exec)).toMatchObject({ ID: exec, Running: false, ExitCode: null, ContainerID: id });
    const stream = await openRaw(vch.port, upgradeRequest(`/v1.50/exec/${exec}/start`, '{"Detach":false,"Tty":false}'));
    expect(stream.head).toContain('101 UPGRADED');
    expect(frames(await stream.rest())).toBe('stdout:hi\n');
    expect(await inspect(exec)).toMatchObject({
      Running: false,
      ExitCode: 7,
      ProcessConfig: { tty: false, entrypoint: 'sh', arguments: ['-c', 'echo hi; exit 7'], privileged: false },
    });
    const again = await request(vch.url, 'POST', `/exec/${exec}/start`, {});
    expect([again.status, again.json()]).toEqual([409, { message: `exec command ${exec} has already run` }]);
  });

  it('takes a body that arrives after its head, and the input that follows', async () => {
    const id = await create({ Cmd: ['sleep', '100'] });
    await start(id);
    const exec = await createExec(id, { Cmd: ['cat'], AttachStdin: true });
    const body = '{"Detach":false}';
    const whole = upgradeRequest(`/exec/${exec}/start`, body);
    const socket = connect({ host: '127.0.0.1', port: vch.port, allowHalfOpen: true });
    socket.write(whole.slice(0, -body.length + 5));
    // A request answered in between shows that the server has read the first part alone.
    await request(vch.url, 'GET', '/_ping');
    socket.write(body.slice(5));
    let received = Buffer.alloc(0);
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      if (received.includes('\r\n\r\n') && !socket.writableEnded) socket.end('late input');
    }
    const [head, rest] = [
      received.subarray(0, received.indexOf('\r\n\r\n') + 4),
      received.subarray(received.indexOf('\r\n\r\n') + 4),
    ];
    expect(head.toString()).toContain('101 UPGRADED');
    expect(frames(rest)).toBe('stdout:late input');
  });

  it("writes into the stream that a user or a working directory is missing, in Docker's words", async () => {
    const id = await create({ Cmd: ['sleep', '100'] });
    await start(id);
    for (const [options, exitCode, words] of [
      [{ User: 'nosuch' }, 126, 'unable to find user nosuch: no matching entries in passwd file'],
      [
        { WorkingDir: '/nosuch' },
        127,
        'OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: unknown',
      ],
    ] as const) {
      const exec = await createExec(id, { Cmd: ['true'], ...options });
      const stream = await openRaw(vch.port, upgradeRequest(`/exec/${exec}/start`, '{}'));
      expect(frames(await stream.rest())).toBe(`stdout:${words}\r\n`);
      expect(await inspect(exec)).toMatchObject({ Running: false, ExitCode: exitCode });
      const detached = await createExec(id, { Cmd: ['true'], ...options });
      const refused = await request(vch.url, 'POST', `/exec/${detached}/start`, { Detach: true });
      expect([refused.status, refused.json()]).toEqual([400, { message: words }]);
    }
  });

  it('writes why a process could not start into the stream', async () => {
    const id = await create({ Cmd: ['sleep', '100'] });
    await start(id);
    for (const [program, exitCode, words] of [
      ['nosuch', 127, 'executable file not found in $PATH'],
      ['not-executable', 126, 'permission denied'],
    ] as const) {
      const exec = await createExec(id, { Cmd: [program] });
      const stream = await openRaw(vch.port, upgradeRequest(`/exec/${exec}/start`, '{}'));
      expect(stream.head).toContain('101 UPGRADED');
      expect(frames(await stream.rest())).toMatch(
        new RegExp(`^stdout:OCI runtime exec failed: .*${words.replace('$', '\\$')}: unknown\r\n$`),
      );
      expect(await inspect(exec)).toMatchObject({ Running: false, ExitCode: exitCode });
    }
  });

  it('passes input, variables and a detached start', async () => {
    const id = await create({ Cmd: ['sleep', '100'], Env: ['A=1'] });
    await start(id);
    const cat = await createExec(id, { Cmd: ['cat'], AttachStdin: true });
    const stream = await openRaw(vch.port, upgradeRequest(`/exec/${cat}/start`, '{}'));
    stream.socket.end('in and out');
    expect(frames(await stream.rest())).toBe('stdout:in and out');
    const env = await createExec(id, { Cmd: ['env'], Env: ['B=2'] });
    const printed = await openRaw(vch.port, upgradeRequest(`/exec/${env}/start`, '{}'));
    expect(frames(await printed.rest())).toMatch(/A=1\nB=2\n/);
    const detached = await createExec(id, { Cmd: ['echo', 'x'] });
    expect((await request(vch.url, 'POST', `/exec/${detached}/start`, { Detach: true })).status).toBe(200);
  });

  it('refuses a container that does not run, and unknown sessions', async () => {
    const id = await create({ Cmd: ['echo'] });
    const answer = await request(vch.url, 'POST', `/containers/${id}/exec`, { Cmd: ['true'] });
    expect([answer.status, answer.json()]).toEqual([409, { message: `container ${id} is not running` }]);
    const unknown = await request(vch.url, 'POST', '/exec/nosuch/start', {});
    expect([unknown.status, unknown.json()]).toEqual([404, { message: 'No such exec instance: nosuch' }]);
  });
});

describe('events', () => {
  it('flushes the head at once and streams what happens, in the old and the new form', async () => {
    const abort = new AbortController();
    const response = await fetch(
      `${vch.url}/events?filters=${encodeURIComponent(JSON.stringify({ type: { container: true }, label: ['watched'] }))}`,
      { signal: abort.signal },
    );
    const id = await create({
      Cmd: ['sh', '-c', 'exit 3'],
      Labels: { watched: 'yes' },
      HostConfig: { AutoRemove: true },
    });
    await start(id);
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('"destroy"')) break;
    }
    abort.abort();
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map((event) => event['Action'])).toEqual(['create', 'start', 'die', 'destroy']);
    expect(events[2]).toMatchObject({
      status: 'die',
      id,
      from: 'busybox',
      Actor: { ID: id, Attributes: { exitCode: '3', image: 'busybox', watched: 'yes' } },
    });
    expect(text).toMatch(/"time":\d{10},"timeNano":\d{19}\}/);
  });

  it('ends at `until`, and reaches back with `since`', async () => {
    const id = await create({ Cmd: ['echo'] });
    const nowSeconds = Date.now() / 1000;
    const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
    const past = await request(
      vch.url,
      'GET',
      `/events?since=${nowSeconds - 60}&until=${nowSeconds.toFixed(3)}&filters=${filters}`,
    );
    expect(past.text).toContain('"Action":"create"');
    expect((await request(vch.url, 'GET', `/events?until=1&filters=${filters}`)).text).toBe('');
    expect((await request(vch.url, 'GET', '/events?since=5&until=3')).status).toBe(400);
  });
});
