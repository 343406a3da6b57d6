import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { silentLogger } from '@vic/log';
import { identifyProcess } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { QemuControl } from './qemu-control.ts';

const FULL = '{"event": "BLOCK_IO_ERROR", "data": {"nospace": true, "action": "stop", "operation": "write"}}\n';

describe('a machine whose datastore is full', () => {
  it('is told to go on, again and again, until its write succeeds', async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, 'qmp');
    await using machine = await fullMachine(socket, { full: false, triesInVain: 2 });
    const waits: boolean[] = [];
    const control = await connected(socket, waits);
    machine.fill();
    await machine.running;
    expect(machine.tries()).toBe(3);
    await expect.poll(() => waits).toEqual([true, false]);
    control.close();
  });

  it('is told so too when it was stopped before hostd came', async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, 'qmp');
    await using machine = await fullMachine(socket, { full: true, triesInVain: 0 });
    const control = await connected(socket);
    await machine.running;
    expect(machine.tries()).toBe(1);
    control.close();
  });
});

async function connected(socket: string, waits: boolean[] = []): Promise<QemuControl> {
  const identity = await identifyProcess(process.pid);
  if (identity === undefined) throw new Error('this process is not there');
  const control = new QemuControl(
    { machine: 'web', socket, process: identity, logger: silentLogger(), roomRetryMs: 5 },
    { connected: () => undefined, waiting: (forRoom) => void waits.push(forRoom) },
  );
  await control.connect(20_000, AbortSignal.timeout(20_000));
  return control;
}

/** QEMU as it answers when its guest's write found no room. */
async function fullMachine(
  path: string,
  { full, triesInVain }: { readonly full: boolean; readonly triesInVain: number },
): Promise<
  AsyncDisposable & {
    readonly running: Promise<void>;
    readonly tries: () => number;
    readonly fill: () => void;
  }
> {
  const running = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  let stopped = full;
  let tries = 0;
  const answer = (execute: string): object => {
    if (execute === 'query-status') return { status: stopped ? 'io-error' : 'running' };
    if (execute === 'cont' && ++tries > triesInVain) {
      stopped = false;
      running.resolve();
    }
    return {};
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\n');
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().trim().split('\n')) {
        const { execute, id } = JSON.parse(line) as { execute: string; id: number };
        socket.write(`${JSON.stringify({ return: answer(execute), id })}\n`);
        if (execute === 'cont' && stopped) socket.write(FULL);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return {
    running: running.promise,
    tries: () => tries,
    fill: () => {
      stopped = true;
      for (const socket of sockets) socket.write(FULL);
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
