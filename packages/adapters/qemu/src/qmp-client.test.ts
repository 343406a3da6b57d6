import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { QmpClient } from './index.ts';

const GREETING = '{"QMP": {"version": {}, "capabilities": ["oob"]}}\r\n';

describe('QmpClient', () => {
  it('connect() waits for the socket to appear, negotiates, and runs commands', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'qmp');
    const connecting = QmpClient.connect(path);
    await using peer = await fakeQemu(path, {
      'query-status': (socket, id) => socket.write(`{"return": {"status": "running"}, "id": ${id}}\n`),
    });
    const client = await connecting;
    expect(await client.execute('query-status')).toEqual({ status: 'running' });
    expect(peer.commands).toEqual(['qmp_capabilities', 'query-status']);
    client.close();
  });

  it('execute() rejects with the reason QEMU gives, and says how to mend permissions', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'qmp');
    await using _peer = await fakeQemu(path, {
      'blockdev-add': (socket, id) =>
        socket.write(
          `{"error": {"class": "GenericError", "desc": "Could not open: Permission denied"}, "id": ${id}}\n`,
        ),
      other: (socket, id) => socket.write(`{"error": {"desc": "No such thing"}, "id": ${id}}\n`),
    });
    const client = await QmpClient.connect(path);
    await expect(client.execute('blockdev-add')).rejects.toMatchObject({
      code: 'QMP_PERMISSION_DENIED',
      remedy: expect.stringContaining('chmod o+x') as string,
    });
    await expect(client.execute('other')).rejects.toMatchObject({
      code: 'QMP_REFUSED',
      message: expect.stringContaining('No such thing') as string,
    });
    client.close();
  });

  it('executeAndAwait() sees an event that comes before the answer', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'qmp');
    await using _peer = await fakeQemu(path, {
      device_del: (socket, id) => {
        socket.write(`{"event": "DEVICE_DELETED", "data": {"device": "disk-1"}}\n{"return": {}, "id": ${id}}\n`);
      },
    });
    const client = await QmpClient.connect(path);
    const event = await client.executeAndAwait(
      async () => client.execute('device_del'),
      ({ name }) => name === 'DEVICE_DELETED',
      'the device to go',
    );
    expect(event.data).toEqual({ device: 'disk-1' });
    client.close();
  });

  it('execute() fails at its deadline, and when QEMU goes away', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'qmp');
    await using _peer = await fakeQemu(path, { quit: (socket) => socket.destroy(), silent: () => undefined });
    const client = await QmpClient.connect(path);
    await expect(client.execute('silent', {}, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(client.execute('quit')).rejects.toMatchObject({ code: 'QMP_CLOSED' });
    await client.closed;
    await expect(client.execute('quit')).rejects.toMatchObject({ code: 'QMP_CLOSED' });
  });

  it.each([
    ['words that are no JSON', 'hello\n'],
    ['an answer without end', 'x'.repeat(5 * 1024 * 1024)],
  ])('drops a peer that sends %s', async (_, bytes) => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'qmp');
    await using _peer = await fakeQemu(path, { bad: (socket) => socket.write(bytes) });
    const client = await QmpClient.connect(path);
    await expect(client.execute('bad')).rejects.toMatchObject({ code: 'QMP_CLOSED' });
  });

  it('connect() gives up at its deadline', async () => {
    await expect(QmpClient.connect('/nonexistent/qmp', { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
  });
});

type Handler = (socket: Socket, id: number) => unknown;

async function fakeQemu(
  path: string,
  handlers: Readonly<Record<string, Handler>>,
): Promise<AsyncDisposable & { readonly commands: readonly string[] }> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(GREETING);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().trim().split('\n')) {
        const { execute, id } = JSON.parse(line) as { execute: string; id: number };
        commands.push(execute);
        if (execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${id}}\n`);
        else handlers[execute]?.(socket, id);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return {
    commands,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
