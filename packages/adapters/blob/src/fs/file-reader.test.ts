import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { type ServerResponse, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { FileReader } from './file-reader.ts';

describe('FileReader', () => {
  it.each([0, 1, 262_144, 262_145, 5_000_003])('gives an HTTP response all %i bytes', async (size) => {
    await using directory = await temporaryDirectory();
    const content = randomBytes(size);
    const path = join(directory.path, 'file');
    await writeFile(path, content);
    const answer = await served(async (response) => {
      const reader = new FileReader(await open(path), { start: 0, end: size });
      response.writeHead(200, { 'content-length': size });
      reader.pipe(response);
    });
    expect(answer.equals(content)).toBe(true);
  });

  it('withholds the last chunk when the check before it fails', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'file');
    await writeFile(path, randomBytes(1_000_000));
    const failed = Promise.withResolvers<unknown>();
    const answer = served(async (response) => {
      const beforeLast = async (): Promise<void> => Promise.reject(new Error('damaged'));
      const reader = new FileReader(await open(path), { start: 0, end: 1_000_000 }, { beforeLast });
      reader.on('error', (error) => {
        failed.resolve(error);
        response.destroy();
      });
      response.writeHead(200, { 'content-length': 1_000_000 });
      reader.pipe(response);
    });
    await expect(answer).rejects.toThrow('aborted');
    expect(await failed.promise).toMatchObject({ message: 'damaged' });
  });

  it('fails with what kept a failure from being looked into', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'file');
    await writeFile(path, randomBytes(10));
    const failure = async (): Promise<never> => Promise.reject(new Error('the disk is read-only'));
    const reader = new FileReader(await open(path), { start: 0, end: 11 }, { failure });
    await expect(buffer(reader)).rejects.toThrow('the disk is read-only');
  });

  it('closes its file when the client goes away', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'file');
    await writeFile(path, randomBytes(20_000_000));
    const closed = Promise.withResolvers<void>();
    const server = createServer((_request, response) => {
      void (async () => {
        const reader = new FileReader(await open(path), { start: 0, end: 20_000_000 });
        reader.on('close', closed.resolve).on('error', () => undefined);
        reader.pipe(response);
      })();
    });
    const request = get(await address(server));
    request.on('error', () => undefined);
    const [answer] = (await once(request, 'response')) as [NodeJS.ReadableStream & { destroy(): void }];
    answer.on('error', () => undefined);
    answer.destroy();
    await closed.promise;
    server.close();
  });
});

/** What a client gets from a server that answers so. */
async function served(answer: (response: ServerResponse) => Promise<void>): Promise<Buffer> {
  const server = createServer((_request, response) => {
    void answer(response);
  });
  try {
    const [response] = (await once(get(await address(server)), 'response')) as [NodeJS.ReadableStream];
    return await buffer(response);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function address(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
