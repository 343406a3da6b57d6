import { open } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { digestOfBytes } from '@vic/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hexOf } from '@vic/oci';
import { describeBlobStore } from '../testing/describe-blob-store.ts';
import type { StoreUnderTest } from '../testing/store-under-test.ts';
import { VersityGateway } from '../testing/versity-gateway.ts';
import { type S3BlobStoreOptions, openS3BlobStore } from './s3-blob-store.ts';

const { credentials, isInstalled } = VersityGateway;
const MIB = 2 ** 20;

describe.skipIf(!isInstalled)('a blob store on the Versity gateway (needs build/peers/bin/versitygw)', () => {
  let server: VersityGateway | undefined;
  let buckets = 0;
  beforeAll(async () => {
    server = await VersityGateway.start();
  });
  afterAll(async () => server?.[Symbol.asyncDispose]());

  const createPlace = async (): Promise<StoreUnderTest & { readonly options: S3BlobStoreOptions }> => {
    if (server === undefined) throw new Error('the gateway has not started');
    const gateway = server;
    const bucket = `registry-${++buckets}`;
    const { endpoint } = gateway;
    await gateway.makeBucket(bucket);
    const options = { bucket, region: 'us-east-1', endpoint, credentials };
    return {
      options,
      open: async (onDamage) => openS3BlobStore({ ...options, ...(onDamage === undefined ? {} : { onDamage }) }),
      damage: async (digest) => {
        const hex = hexOf(digest);
        await using file = await open(gateway.pathOf(bucket, `blobs/sha256/${hex.slice(0, 2)}/${hex}`), 'r+');
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
