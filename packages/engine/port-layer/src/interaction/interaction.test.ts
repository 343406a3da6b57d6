import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import {
  FRAME,
  INITIAL_CREDIT_BYTES,
  STREAM,
  channelOf,
  decodeCredit,
  encodeCredit,
  encodeFrame,
  streamId,
} from '@vic/agent-protocol';
import type { Frame } from '@vic/agent-protocol';
import { silentLogger } from '@vic/log';
import { listenForTethers } from './index.ts';
import type { ProcessStreams, TetherServer, TetherSession } from './index.ts';
import { FakeTether } from './testing/fake-tether.ts';
import { launchSpec, processSpec } from './testing/launch-spec.ts';

const DEADLINE_MS = 20_000;

async function listen(): Promise<TetherServer> {
  return listenForTethers(
    { host: '127.0.0.1', port: 0 },
    { secretOf: async (id) => (id === 'vm' ? 's3cret' : undefined), logger: silentLogger() },
  );
}

async function connected(server: TetherServer, tether: FakeTether): Promise<TetherSession> {
  await tether.connect('vm', 's3cret');
  return server.waitForSession('vm', AbortSignal.timeout(DEADLINE_MS));
}

async function attached(
  tether: FakeTether,
  session: TetherSession,
): Promise<{ readonly streams: ProcessStreams; readonly channel: number }> {
  const attaching = session.attach({ stdin: true, stdout: true, stderr: true });
  const heard = await tether.heard();
  if (heard.kind !== 'attach') throw new Error(heard.kind);
  tether.say({ kind: 'reply', request: heard.request });
  return { streams: await attaching, channel: heard.channel };
}

const ALL = { stdin: true, stdout: true, stderr: true };

describe('the handshake', () => {
  it('gives a session to a tether that proves itself', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    expect(session.status).toMatchObject({ state: 'waiting', bootId: 'boot' });
    expect(server.session('vm')).toBe(session);
    expect(server.session('other')).toBeUndefined();
  });

  it('skips what an earlier connection left behind, an old reply included', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    tether.write(Buffer.alloc(100_000, 0x55));
    tether.reply('vm', 's3cret', 'ab'.repeat(32));
    tether.write(encodeFrame(FRAME.eof, 4, new Uint8Array()));
    await tether.connect('vm', 's3cret');
    await server.waitForSession('vm', AbortSignal.timeout(DEADLINE_MS));
  });

  it.each([
    ['a wrong secret', 'vm', 'guessed', {}],
    ['a machine nobody knows', 'stranger', 's3cret', {}],
    ['another version', 'vm', 's3cret', { version: 2 }],
    ['a malformed reply', 'vm', 's3cret', { surplus: true }],
  ])('closes the connection of %s', async (_, vmId, secret, more) => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const { nonce } = await tether.hello();
    tether.reply(vmId, secret, nonce, more);
    await expect(tether.frame()).rejects.toThrow(/closed/);
    expect(server.session(vmId)).toBeUndefined();
  });

  it('acts on nothing before the proof', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    await tether.hello();
    tether.write(encodeFrame(FRAME.control, 0, Buffer.from('{}')));
    tether.write(Buffer.alloc(3 * 1024 * 1024));
    await tether.closed;
    expect(server.session('vm')).toBeUndefined();
  });

  it('replaces the session of a machine that connects again', async () => {
    await using server = await listen();
    using first = new FakeTether(server.port);
    const old = await connected(server, first);
    using second = new FakeTether(server.port);
    await second.connect('vm', 's3cret', { state: 'running', pid: 9 });
    await old.closed;
    const session = await server.waitForSession('vm', AbortSignal.timeout(DEADLINE_MS));
    expect(session.status).toMatchObject({ state: 'running', pid: 9 });
  });

  it('waitForSession() ends with its signal', async () => {
    await using server = await listen();
    await expect(server.waitForSession('vm', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

describe('launch()', () => {
  it('gives the process once it is started, and publishes what follows', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const events = session.events();
    const launching = session.launch(launchSpec(processSpec(['true'])));
    expect(await tether.heard()).toMatchObject({ kind: 'launch', spec: { process: { args: ['true'] } } });
    tether.say({ kind: 'started', pid: 7, time: '12345678901234567' });
    expect(await launching).toEqual({ pid: 7, time: 12_345_678_901_234_567n });
    tether.say({ kind: 'log-progress', logBytes: 5 });
    tether.say({ kind: 'exited', code: 3, signal: 0, oom: false, time: '9' });
    expect(await tether.heard()).toEqual({ kind: 'exit-received' });
    expect(session.status).toMatchObject({ state: 'exited', logBytes: 5, exit: { code: 3 } });
    tether[Symbol.dispose]();
    expect((await Array.fromAsync(events)).map((event) => event.kind)).toEqual(['started', 'log-progress', 'exited']);
    expect(server.session('vm')).toBeUndefined();
  });

  it('throws why the process could not be started', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const launching = session.launch(launchSpec(processSpec(['x'])));
    await tether.heard();
    tether.say({ kind: 'start-failed', failure: 'permission-denied', message: 'exec: "x": permission denied' });
    await expect(launching).rejects.toMatchObject({
      kind: 'permission-denied',
      exitCode: 126,
      message: expect.stringMatching(/permission denied/),
    });
    await expect(session.launch(launchSpec(processSpec(['x'])))).rejects.toMatchObject({ code: 'CONTAINER_STARTED' });
  });

  it('refuses a specification the tether would refuse, and keeps the connection', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    await expect(session.launch(launchSpec(processSpec([])))).rejects.toMatchObject({ code: 'TETHER_PROTOCOL' });
    await attached(tether, session);
  });
});

describe('streams', () => {
  it('carry bytes both ways and end one by one', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const { streams, channel } = await attached(tether, await connected(server, tether));
    tether.write(encodeFrame(FRAME.data, streamId(channel, STREAM.stdout), Buffer.from('out')));
    tether.write(encodeFrame(FRAME.data, streamId(channel, STREAM.stderr), Buffer.from('err')));
    tether.write(encodeFrame(FRAME.eof, streamId(channel, STREAM.stdout), new Uint8Array()));
    tether.write(encodeFrame(FRAME.eof, streamId(channel, STREAM.stderr), new Uint8Array()));
    expect(await Promise.all([text(streams.stdout), text(streams.stderr)])).toEqual(['out', 'err']);
    streams.stdin.end('in');
    const frames: Frame[] = [];
    while (!frames.some((frame) => frame.type === FRAME.eof)) frames.push(await tether.frame());
    const input = frames.filter((frame) => frame.type === FRAME.data);
    expect(Buffer.concat(input.map((frame) => frame.payload)).toString()).toBe('in');
    expect(channelOf(input[0]?.stream ?? 0)).toBe(channel);
  });

  it('send no more input than was granted', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const { streams, channel } = await attached(tether, session);
    streams.stdin.end(Buffer.alloc(INITIAL_CREDIT_BYTES + 1000));
    let received = 0;
    while (received < INITIAL_CREDIT_BYTES) received += (await tether.frame()).payload.length;
    expect(received).toBe(INITIAL_CREDIT_BYTES);
    // Control messages are not held up.
    const pinging = session.ping();
    const ping = await tether.heard();
    if (ping.kind === 'ping') tether.say({ kind: 'reply', request: ping.request });
    await pinging;
    tether.write(encodeCredit(streamId(channel, STREAM.stdin), 5000));
    expect((await tether.frame()).payload.length).toBe(1000);
    expect((await tether.frame()).type).toBe(FRAME.eof);
  });

  it('grant credit only for what has been read, and end a connection that goes beyond', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const { streams, channel } = await attached(tether, session);
    const stdout = streamId(channel, STREAM.stdout);
    for (let sent = 0; sent < INITIAL_CREDIT_BYTES; sent += 32_768)
      tether.write(encodeFrame(FRAME.data, stdout, Buffer.alloc(32_768)));
    const reading = streams.stdout[Symbol.asyncIterator]();
    await reading.next();
    expect((await tether.frame()).type).toBe(FRAME.credit);
    for (let sent = 0; sent < 4 * INITIAL_CREDIT_BYTES; sent += 32_768)
      tether.write(encodeFrame(FRAME.data, stdout, Buffer.alloc(32_768)));
    await session.closed;
  });

  it('answer their end with a credit of nothing, so that the machine may go off', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const { channel } = await attached(tether, await connected(server, tether));
    const stdout = streamId(channel, STREAM.stdout);
    tether.write(encodeFrame(FRAME.data, stdout, Buffer.from('nobody reads this')));
    tether.write(encodeFrame(FRAME.eof, stdout, new Uint8Array()));
    const answer = await tether.frame();
    expect(answer).toMatchObject({ type: FRAME.credit, stream: stdout });
    expect(decodeCredit(answer.payload)).toBe(0);
  });

  it('fail when the connection is lost, unless they have ended', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const { streams, channel } = await attached(tether, session);
    tether.write(encodeFrame(FRAME.data, streamId(channel, STREAM.stderr), Buffer.from('last words')));
    tether.write(encodeFrame(FRAME.eof, streamId(channel, STREAM.stderr), new Uint8Array()));
    tether.say({ kind: 'log-progress', logBytes: 1 });
    for await (const event of session.events()) if (event.kind === 'log-progress') break;
    tether[Symbol.dispose]();
    await expect(text(streams.stdout)).rejects.toMatchObject({ code: 'TETHER_DISCONNECTED' });
    expect(await text(streams.stderr)).toBe('last words');
    await expect(session.ping()).rejects.toMatchObject({ code: 'TETHER_DISCONNECTED' });
    await expect(session.attach(ALL)).rejects.toMatchObject({ code: 'TETHER_DISCONNECTED' });
  });

  it('are given up by detach()', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const { streams, channel } = await attached(tether, await connected(server, tether));
    streams.detach();
    streams.detach();
    expect(await tether.heard()).toEqual({ kind: 'detach', channel });
  });
});

describe('exec()', () => {
  it('gives streams at once, and the exit after their ends', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const starting = session.exec(processSpec(['ls']));
    const heard = await tether.heard();
    if (heard.kind !== 'exec') throw new Error(heard.kind);
    tether.say({ kind: 'exec-started', channel: heard.channel, pid: 12 });
    const exec = await starting;
    expect(exec.pid).toBe(12);
    tether.write(encodeFrame(FRAME.data, streamId(heard.channel, STREAM.stdout), Buffer.from('files')));
    for (const kind of [STREAM.stdout, STREAM.stderr])
      tether.write(encodeFrame(FRAME.eof, streamId(heard.channel, kind), new Uint8Array()));
    tether.say({ kind: 'exec-exited', channel: heard.channel, code: 0, signal: 0, oom: false, time: '1' });
    expect(await Promise.all([text(exec.stdout), text(exec.stderr)])).toEqual(['files', '']);
    expect(await exec.exited).toEqual({ code: 0, signal: 0, oom: false, time: '1' });
  });

  it('throws why the process could not be started', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    const starting = session.exec(processSpec(['x']));
    const heard = await tether.heard();
    if (heard.kind !== 'exec') throw new Error(heard.kind);
    tether.say({ kind: 'exec-failed', channel: heard.channel, failure: 'not-found', message: 'no x' });
    await expect(starting).rejects.toMatchObject({ kind: 'not-found', exitCode: 127 });
  });

  it('has what it is for remembered, and finds what earlier connections started', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const exit = { code: 4, signal: 0, oom: false, time: '1' };
    const connecting = server.waitForSession('vm', AbortSignal.timeout(DEADLINE_MS));
    await tether.connect('vm', 's3cret', {
      state: 'running',
      execs: [
        { channel: 3, pid: 30, session: 'runs' },
        { channel: 5, pid: 50, session: 'over', exit },
      ],
      lastChannel: 8,
    });
    const session = await connecting;
    expect(session.found.map((exec) => exec.session)).toEqual(['runs', 'over']);
    expect(await tether.heard()).toEqual({ kind: 'detach', channel: 5 });
    expect(await session.found[1]?.exited).toEqual(exit);
    void session.exec(processSpec(['ls']), undefined, 'new').catch(() => undefined);
    expect(await tether.heard()).toMatchObject({ kind: 'exec', channel: 9, session: 'new' });
    tether.say({ kind: 'exec-exited', channel: 3, ...exit });
    expect(await session.found[0]?.exited).toEqual(exit);
    expect(await tether.heard()).toEqual({ kind: 'detach', channel: 3 });
  });

  it('does not ask a tether of before to remember anything', async () => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    void session.exec(processSpec(['ls']), undefined, 'new').catch(() => undefined);
    expect(await tether.heard()).not.toHaveProperty('session');
  });
});

describe('a tether that does not follow the protocol', () => {
  it.each([
    ['an unknown message', encodeFrame(FRAME.control, 0, Buffer.from('{"kind":"surprise"}'))],
    ['a frame that is none', Buffer.alloc(64, 0xff)],
    ['a second hello', encodeFrame(FRAME.helloReply, 0, new Uint8Array())],
    ['a stream that cannot be', encodeFrame(FRAME.data, 7, new Uint8Array(1))],
  ])('loses its connection after %s', async (_, bytes) => {
    await using server = await listen();
    using tether = new FakeTether(server.port);
    const session = await connected(server, tether);
    tether.write(bytes);
    await session.closed;
    expect(server.session('vm')).toBeUndefined();
  });
});
