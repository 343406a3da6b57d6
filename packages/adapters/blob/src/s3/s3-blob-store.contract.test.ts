import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pollUntil } from '@vic/async';
import { digestOfBytes } from '@vic/oci';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hexOf } from '@vic/oci';
import { describeBlobStore } from '../testing/describe-blob-store.ts';
import type { StoreUnderTest } from '../testing/store-under-test.ts';
import { type S3BlobStoreOptions, openS3BlobStore } from './s3-blob-store.ts';

const gateway = join(import.meta.dirname, '../../../../../build/peers/bin/versitygw');
const credentials = { accessKeyId: 'test', secretAccessKey: 'only-for-tests' };
const MIB = 2 ** 20;
const READY_TIMEOUT_MS = 60_000;

/** A real S3 server, the Versity gateway, on a directory; its buckets are directories and its objects files. */
describe.skipIf(!existsSync(gateway))('a blob store on the Versity gateway (needs build/peers/bin/versitygw)', () => {
  let server: Awaited<ReturnType<typeof startGateway>> | undefined;
  let buckets = 0;
  beforeAll(async () => {
    server = await startGateway();
  });
  afterAll(async () => server?.[Symbol.asyncDispose]());

  const createPlace = async (): Promise<StoreUnderTest & { readonly options: S3BlobStoreOptions }> => {
    if (server === undefined) throw new Error('the gateway has not started');
    const bucket = `registry-${++buckets}`;
    const { directory, endpoint } = server;
    await mkdir(join(directory, bucket));
    const options = { bucket, region: 'us-east-1', endpoint, credentials };
    return {
      options,
      open: async (onDamage) => openS3BlobStore({ ...options, ...(onDamage === undefined ? {} : { onDamage }) }),
      damage: async (digest) => {
        const hex = hexOf(digest);
        await using file = await open(join(directory, bucket, 'blobs/sha256', hex.slice(0, 2), hex), 'r+');
        const at = Math.floor((await file.stat()).size / 2);
        const byte = Buffer.alloc(1);
        await file.read(byte, 0, 1, at);
        await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  };

  describeBlobStore(createPlace);

  it('stores 40 MiB in parts, chunk by chunk, from two processes in turn', async () => {
    await using place = await createPlace();
    await using first = await place.open();
    await using second = await place.open();
    const content = randomBytes(40 * MIB);
    const id = await first.createUpload();
    let offset = 0;
    for (const [index, end] of [3, 9, 9.5, 20, 33, 40].entries()) {
      const store = index % 2 === 0 ? first : second;
      offset = await store.append(id, offset, Readable.from([content.subarray(offset, end * MIB)]));
    }
    await second.commit(id, digestOfBytes(content));
    expect(await first.verify(digestOfBytes(content))).toBe('sound');
    expect(await Array.fromAsync(first.listUploads())).toEqual([]);
  });
});

async function startGateway(): Promise<AsyncDisposable & { readonly directory: string; readonly endpoint: string }> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const child = spawn(gateway, ['--port', `127.0.0.1:${port}`, 'posix', directory.path], {
    stdio: 'ignore',
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<true | undefined> =>
    fetch(endpoint).then(
      () => true,
      () => undefined,
    );
  await pollUntil(answers, 100, AbortSignal.timeout(READY_TIMEOUT_MS));
  return {
    directory: directory.path,
    endpoint,
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await directory[Symbol.asyncDispose]();
    },
  };
}
