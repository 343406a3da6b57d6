import { createWriteStream } from 'node:fs';
import { chown, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VicError } from '@vic/errors';
import { pollUntil, withDeadline } from '@vic/async';
import type { QmpClient } from './qmp-client.ts';

/** Device state of these machines is half a megabyte; a machine that sends this much is not what it should be. */
const MAX_STATE_BYTES = 64 * 1024 * 1024;
const SAVE_TIMEOUT_MS = 30_000;
const RESTORE_TIMEOUT_MS = 30_000;
const STATUS_INTERVAL_MS = 2;

/** How {@link saveDeviceState} gets the state out of a QEMU that may open nothing by itself. */
export interface DeviceStateTarget {
  readonly file: string;
  /** Path for a socket that exists during the call. */
  readonly socket: string;
  /** User QEMU runs as. */
  readonly uid: number;
}

/** Writes the state of a stopped machine's devices to a file, memory not included (`x-ignore-shared`). */
export async function saveDeviceState(
  client: QmpClient,
  target: DeviceStateTarget,
  signal: AbortSignal,
): Promise<void> {
  await using server = await listen(target.socket, target.uid);
  await withDeadline(
    'the device state of a machine',
    SAVE_TIMEOUT_MS,
    async (inner) => {
      await ignoreSharedMemory(client, inner);
      const received = server.accepted.then((socket) => receive(socket, target.file, inner));
      received.catch(() => undefined);
      await client.execute('migrate', { uri: `unix:${target.socket}` }, { signal: inner });
      await pollUntil(async () => isMigrated(client, inner), STATUS_INTERVAL_MS, inner);
      await received;
    },
    signal,
  );
}

/**
 * Restores device state into a machine started to wait for it.
 *
 * `fd` is QEMU's own number of the state file, inherited when it was started.
 */
export async function restoreDeviceState(client: QmpClient, fd: number, signal: AbortSignal): Promise<void> {
  await ignoreSharedMemory(client, signal);
  await client.execute('migrate-incoming', { uri: `fd:${fd}` }, { signal });
  await withDeadline(
    'a machine to restore its device state',
    RESTORE_TIMEOUT_MS,
    async (inner) => {
      await pollUntil(
        async () => ((await statusOf(client, 'query-status', inner)) === 'inmigrate' ? undefined : true),
        STATUS_INTERVAL_MS,
        inner,
      );
    },
    signal,
  );
}

async function ignoreSharedMemory(client: QmpClient, signal: AbortSignal): Promise<void> {
  const capabilities = [{ capability: 'x-ignore-shared', state: true }];
  await client.execute('migrate-set-capabilities', { capabilities }, { signal });
}

async function isMigrated(client: QmpClient, signal: AbortSignal): Promise<true | undefined> {
  const status = await statusOf(client, 'query-migrate', signal);
  if (status === 'completed') return true;
  if (status !== 'failed' && status !== 'cancelled') return undefined;
  throw new VicError({
    class: 'Internal',
    code: 'QEMU_STATE_NOT_SAVED',
    message: `QEMU could not write the state of its devices (${status}).`,
  });
}

async function statusOf(client: QmpClient, command: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await client.execute(command, {}, { signal });
  if (typeof answer !== 'object' || answer === null || !('status' in answer)) return undefined;
  return typeof answer.status === 'string' ? answer.status : undefined;
}

async function listen(path: string, uid: number): Promise<AsyncDisposable & { readonly accepted: Promise<Socket> }> {
  const accepted = Promise.withResolvers<Socket>();
  await rm(path, { force: true });
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    accepted.resolve(socket);
  });
  server.maxConnections = 1;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chown(path, uid, uid);
  return {
    accepted: accepted.promise,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await rm(path, { force: true });
    },
  };
}

async function receive(socket: Socket, file: string, signal: AbortSignal): Promise<void> {
  let size = 0;
  const bounded = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      size += chunk.length;
      done(size > MAX_STATE_BYTES ? tooLarge() : null, chunk);
    },
  });
  await pipeline(socket, bounded, createWriteStream(file, { mode: 0o600 }), { signal });
}

function tooLarge(): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'QEMU_STATE_TOO_LARGE',
    message: `A machine sent more than ${MAX_STATE_BYTES} bytes of device state.`,
  });
}
