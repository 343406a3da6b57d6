import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { expect, test } from 'vitest';
import { NbdClient } from './index.ts';

const MiB = 1024 * 1024;

async function diskServer(
  sizeMiB: number,
  extra: readonly string[] = [],
): Promise<AsyncDisposable & { socket: string; disk: string }> {
  await using onFailure = new AsyncDisposableStack();
  const directory = onFailure.use(await temporaryDirectory());
  const disk = join(directory.path, 'disk.qcow2');
  const socket = join(directory.path, 'nbd.sock');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', disk, `${sizeMiB}M`]);
  const server = spawn('qemu-nbd', ['-f', 'qcow2', '-k', socket, '-t', '--discard=unmap', ...extra, disk], {
    stdio: 'ignore',
  });
  const exited = once(server, 'exit');
  onFailure.defer(async () => {
    server.kill();
    await exited;
  });
  // The socket is there a moment before it is listened on.
  const tryConnect = async (): Promise<NbdClient | undefined> => NbdClient.connect(socket).catch(() => undefined);
  const probe = await pollUntil(tryConnect, 20, AbortSignal.timeout(60_000));
  await probe[Symbol.asyncDispose]();
  const resources = onFailure.move();
  return { socket, disk, [Symbol.asyncDispose]: async () => resources.disposeAsync() };
}

test('what is written is read back by another connection and by qemu', async () => {
  await using server = await diskServer(64);
  const bytes = Buffer.alloc(5 * MiB + 17);
  for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 7) % 253;
  {
    await using client = await NbdClient.connect(server.socket);
    expect(client.sizeBytes).toBe(64 * MiB);
    expect(client.readOnly).toBe(false);
    await client.write(512, bytes);
    await client.flush();
  }
  await using again = await NbdClient.connect(server.socket);
  expect((await again.read(512, bytes.length)).equals(bytes)).toBe(true);
  expect((await again.read(0, 512)).every((byte) => byte === 0)).toBe(true);
});

test('writeStream() joins pieces of any size', async () => {
  await using server = await diskServer(16);
  await using client = await NbdClient.connect(server.socket);
  const pieces = [1, 511, 3 * MiB, 0, 70_000].map((length, index) => Buffer.alloc(length, index + 1));
  const written = await client.writeStream(
    MiB,
    (async function* () {
      yield* pieces;
    })(),
  );
  expect(written).toBe(3 * MiB + 70_512);
  expect((await client.read(MiB, written)).equals(Buffer.concat(pieces))).toBe(true);
});

test('zero() clears a range and trim() is accepted', async () => {
  await using server = await diskServer(16);
  await using client = await NbdClient.connect(server.socket);
  await client.write(0, Buffer.alloc(MiB, 0xaa));
  await client.zero(4096, 8192);
  const bytes = await client.read(0, MiB);
  expect(bytes.subarray(4096, 12_288).every((byte) => byte === 0)).toBe(true);
  expect(bytes[4095]).toBe(0xaa);
  expect(bytes[12_288]).toBe(0xaa);
  await client.trim(0, MiB);
});

test('requests asked for at the same time keep their order', async () => {
  await using server = await diskServer(16);
  await using client = await NbdClient.connect(server.socket);
  await Promise.all(Array.from({ length: 20 }, async (_, index) => client.write(0, Buffer.alloc(4096, index))));
  expect((await client.read(0, 4096)).every((byte) => byte === 19)).toBe(true);
});

test('a range outside the disk is refused before it is sent', async () => {
  await using server = await diskServer(16);
  await using client = await NbdClient.connect(server.socket);
  await expect(client.write(16 * MiB - 1, Buffer.alloc(2))).rejects.toMatchObject({ code: 'NBD_OUT_OF_RANGE' });
  await expect(client.read(-1, 2)).rejects.toMatchObject({ code: 'NBD_OUT_OF_RANGE' });
  await client.write(0, Buffer.alloc(1));
});

test('a read-only export refuses writes and stays usable', async () => {
  await using server = await diskServer(16, ['--read-only']);
  await using client = await NbdClient.connect(server.socket);
  expect(client.readOnly).toBe(true);
  await expect(client.write(0, Buffer.alloc(512))).rejects.toMatchObject({ code: 'NBD_REQUEST_FAILED' });
  expect(await client.read(0, 1)).toHaveLength(1);
});

test('an unknown export and a server that is not NBD are refused by name', async () => {
  await using server = await diskServer(16);
  await expect(NbdClient.connect(server.socket, { exportName: 'nope' })).rejects.toMatchObject({
    code: 'NBD_PROTOCOL',
  });
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'sock');
  const other = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n and more'));
  await new Promise<void>((resolve) => other.listen(path, resolve));
  await expect(NbdClient.connect(path)).rejects.toMatchObject({ code: 'NBD_PROTOCOL' });
  other.close();
  await expect(NbdClient.connect(join(directory.path, 'none'))).rejects.toMatchObject({ code: 'NBD_CONNECTION_LOST' });
});

test('a server that dies fails the request under way and all later ones', async () => {
  const server = await diskServer(16);
  const client = await NbdClient.connect(server.socket);
  await server[Symbol.asyncDispose]();
  await expect(client.write(0, Buffer.alloc(512))).rejects.toMatchObject({ class: 'Unavailable' });
  await expect(client.read(0, 512)).rejects.toMatchObject({ class: 'Unavailable' });
  await client[Symbol.asyncDispose]();
});
