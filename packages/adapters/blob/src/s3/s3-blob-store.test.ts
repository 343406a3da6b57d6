import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { digestOfBytes } from '@vic/oci';
import { describe, expect, it } from 'vitest';
import { hexOf } from '@vic/oci';
import { describeBlobStore } from '../testing/describe-blob-store.ts';
import { FakeS3 } from '../testing/fake-s3.ts';
import type { StoreUnderTest } from '../testing/store-under-test.ts';
import { type S3BlobStoreOptions, openS3BlobStore } from './s3-blob-store.ts';

const MIB = 2 ** 20;

// Megabytes are signed and hashed, on both sides by one process, which a machine that is busy otherwise takes long for.
describe('a blob store in a bucket', { timeout: 300_000 }, () => {
  describeBlobStore(createPlace);

  it('sends large content in parts that S3 takes, in chunks of any size', async () => {
    await using fake = await FakeS3.start();
    await using store = openS3BlobStore(optionsFor(fake));
    const content = randomBytes(17 * MIB + 3);
    const id = await store.createUpload();
    let offset = 0;
    for (const end of [MIB, 7 * MIB, 7 * MIB + 1, 13 * MIB, content.length]) {
      offset = await store.append(id, offset, Readable.from([content.subarray(offset, end)]));
    }
    await store.commit(id, digestOfBytes(content));
    expect((await buffer(await store.read(digestOfBytes(content)))).equals(content)).toBe(true);
    expect(fake.objects.left).toHaveLength(1);
  });

  it('goes on in another process with parts and a tail, and commits what it has read again', async () => {
    await using fake = await FakeS3.start();
    await using first = openS3BlobStore(optionsFor(fake));
    await using second = openS3BlobStore(optionsFor(fake));
    const content = randomBytes(12 * MIB);
    const id = await first.createUpload();
    await first.append(id, 0, Readable.from([content.subarray(0, 6 * MIB)]));
    expect(await second.uploadSize(id)).toBe(6 * MIB);
    await second.append(id, 6 * MIB, Readable.from([content.subarray(6 * MIB, 7 * MIB)]));
    await first.append(id, 7 * MIB, Readable.from([content.subarray(7 * MIB)]));
    await first.commit(id, digestOfBytes(content));
    expect(await second.verify(digestOfBytes(content))).toBe('sound');
    expect(fake.objects.left).toHaveLength(1);
  });

  it('never acknowledges parts that another process has overwritten', async () => {
    await using fake = await FakeS3.start();
    await using first = openS3BlobStore(optionsFor(fake));
    await using second = openS3BlobStore(optionsFor(fake));
    const content = randomBytes(6 * MIB);
    const id = await first.createUpload();
    await first.append(id, 0, Readable.from([content.subarray(0, 5 * MIB)]));
    // The second process reads the state, and stalls before it sends its part.
    const { promise: go, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const late = second.append(
      id,
      5 * MIB,
      Readable.from(
        (async function* () {
          begin();
          await go;
          yield randomBytes(5 * MIB);
        })(),
      ),
    );
    await begun;
    await first.append(id, 5 * MIB, Readable.from([content.subarray(5 * MIB)]));
    release();
    await late;
    const digest = digestOfBytes(content);
    await first.commit(id, digest).catch(() => undefined);
    expect(['sound', 'missing']).toContain(await first.verify(digest));
  });

  it('commits an upload whose parts were put together before a crash', async () => {
    await using fake = await FakeS3.start();
    const content = randomBytes(6 * MIB);
    await using first = openS3BlobStore(optionsFor(fake));
    const id = await first.createUpload();
    await first.append(id, 0, Readable.from([content]));
    fake.refuse('PUT object');
    await expect(first.commit(id, digestOfBytes(content))).rejects.toMatchObject({ class: 'Unavailable' });
    fake.refuse(undefined);
    await using second = openS3BlobStore(optionsFor(fake));
    expect(await second.uploadSize(id)).toBe(6 * MIB);
    await second.commit(id, digestOfBytes(content));
    expect(await second.verify(digestOfBytes(content))).toBe('sound');
    expect(fake.objects.left).toHaveLength(1);
  });

  it('leaves nothing of a cancelled upload', async () => {
    await using fake = await FakeS3.start();
    await using store = openS3BlobStore(optionsFor(fake));
    const id = await store.createUpload();
    await store.append(id, 0, Readable.from([randomBytes(6 * MIB)]));
    expect(fake.objects.left.length).toBeGreaterThan(1);
    await store.cancelUpload(id);
    expect(fake.objects.left).toEqual([]);
  });

  it('keeps its keys below the prefix', async () => {
    await using fake = await FakeS3.start();
    await using store = openS3BlobStore({ ...optionsFor(fake), prefix: 'a/b/' });
    const digest = digestOfBytes('x');
    await store.put(digest, Readable.from([Buffer.from('x')]));
    expect(fake.objects.left).toEqual([`a/b/blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`]);
    expect((await Array.fromAsync(store.list())).map((blob) => blob.digest)).toEqual([digest]);
  });

  it('says why it cannot be used', async () => {
    await using fake = await FakeS3.start();
    const credentials = { ...FakeS3.credentials, secretAccessKey: 'wrong' };
    await using store = openS3BlobStore({ ...optionsFor(fake), credentials });
    const health = await store.check();
    expect(health).toMatchObject({ writable: false, reason: expect.stringContaining('SignatureDoesNotMatch') });
    expect(JSON.stringify(health)).not.toContain('wrong');
    await expect(store.createUpload()).rejects.toMatchObject({ class: 'Unavailable', code: 'BLOB_STORE_UNAVAILABLE' });
    await using elsewhere = openS3BlobStore({ ...optionsFor(fake), bucket: 'absent' });
    await expect(elsewhere.stat(digestOfBytes('x'))).resolves.toBeUndefined();
    expect(await elsewhere.check()).toMatchObject({ writable: false });
  });
});

function optionsFor(fake: FakeS3): S3BlobStoreOptions {
  return { bucket: FakeS3.bucket, region: 'us-east-1', endpoint: fake.endpoint, credentials: FakeS3.credentials };
}

async function createPlace(): Promise<StoreUnderTest> {
  const fake = await FakeS3.start();
  return {
    open: async (onDamage) => openS3BlobStore({ ...optionsFor(fake), ...(onDamage === undefined ? {} : { onDamage }) }),
    damage: async (digest) => {
      const hex = hexOf(digest);
      const content = fake.objects.contentOf(`blobs/sha256/${hex.slice(0, 2)}/${hex}`);
      const at = Math.floor(content.length / 2);
      content[at] = (content[at] ?? 0) ^ 1;
    },
    [Symbol.asyncDispose]: async () => fake[Symbol.asyncDispose](),
  };
}
