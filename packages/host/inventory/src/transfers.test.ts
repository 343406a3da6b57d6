import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect } from 'node:tls';
import { Datastores } from '@vic/datastores';
import { silentLogger } from '@vic/log';
import { temporaryDirectory } from '@vic/testkit';
import { reference } from '@vic/vim';
import { DatastoreFiles, VimClient, probeThumbprint } from '@vic/vim-client';
import { expect, it } from 'vitest';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

const DATACENTER = reference('Datacenter', 'ha-datacenter');
const DATASTORE = reference('Datastore', 'datastore-datastore1');

async function connect(host: HostUnderTest): Promise<VimClient> {
  const { hostname, port } = new URL(host.url);
  const { sha256 } = await probeThumbprint(hostname, Number(port));
  const { url, user, password } = host;
  return VimClient.connect({ url, user, password, thumbprint: sha256, logger: silentLogger() });
}

it.each([
  ['read', async (files: DatastoreFiles) => textOf(await files.read('a'))],
  ['look', async (files: DatastoreFiles) => (await files.head('a'))?.sizeBytes],
  ['write bytes', async (files: DatastoreFiles) => files.write('b', new TextEncoder().encode('new'))],
  ['write a stream', async (files: DatastoreFiles) => files.write('b', pieces())],
])('transfers that %s log in again after the host has restarted', async (_what, transfer) => {
  await using host = await startHost();
  await using client = await connect(host);
  const files = await DatastoreFiles.open(client, DATACENTER, DATASTORE);
  await files.write('a', new TextEncoder().encode('kept'));
  await host.restart();
  expect(await transfer(files)).not.toBe('');
  expect(await textOf(await files.read('a'))).toBe('kept');
});

it('reads wait for a host that restarts', async () => {
  await using host = await startHost();
  await using client = await connect(host);
  const files = await DatastoreFiles.open(client, DATACENTER, DATASTORE);
  await files.write('a', new TextEncoder().encode('kept'));
  let answers: Promise<unknown> = Promise.resolve();
  await host.restart(() => {
    answers = Promise.all([files.read('a').then(textOf), files.head('a'), files.list('')]);
    answers.catch(() => undefined);
  });
  expect(await answers).toMatchObject(['kept', { sizeBytes: 4 }, [{ name: 'a' }]]);
});

it('a file that grows while it is fetched is given as long as it was told to be', async () => {
  await using place = await temporaryDirectory();
  const stores = await Datastores.open([{ name: 'datastore1', directory: place.path }]);
  const growing = new Proxy(stores, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'read') return value.bind(target) as unknown;
      return async (...args: unknown[]) => {
        await appendFile(join(place.path, 'log'), 'line\n');
        return value.apply(target, args) as unknown;
      };
    },
  });
  await using host = await startHost({ datastores: growing });
  await writeFile(join(place.path, 'log'), 'line\n');
  for (const lines of [1, 2]) {
    // More bytes than announced would be taken for the beginning of the next answer.
    const answer = await rawAnswer(host, '/folder/log?dcPath=ha-datacenter&dsName=datastore1');
    expect(answer).toContain(`content-length: ${5 * lines}\r\n`);
    expect(answer.split('\r\n\r\n')[1]).toBe('line\n'.repeat(lines));
  }
});

/** All bytes of an answer, with those that its head does not speak of. */
async function rawAnswer({ url, user, password }: HostUnderTest, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = tlsConnect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  const credentials = Buffer.from(`${user}:${password}`).toString('base64');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic ${credentials}\r\n\r\n`);
  return text(socket);
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('in ');
  yield new TextEncoder().encode('pieces');
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of content) text += decoder.decode(piece, { stream: true });
  return text;
}
