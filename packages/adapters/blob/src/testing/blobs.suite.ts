import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { digestOfBytes } from '@vic/oci';
import { expect, it } from 'vitest';
import { type StoreUnderTest, names, putRandom, sha512, uploadIds } from './store-under-test.ts';

/** Blobs that are stored, read, listed and removed. */
export function blobsSuite(create: () => Promise<StoreUnderTest>): void {
  it('put() stores content under its digest, read() gives it back', async () => {
    await using place = await create();
    await using store = await place.open();
    const content = randomBytes(700_001);
    const digest = digestOfBytes(content);
    const stored = await store.put(digest, Readable.from([content]));
    expect(stored.sizeBytes).toBe(content.length);
    expect(await store.stat(digest)).toMatchObject({ sizeBytes: content.length });
    expect((await buffer(await store.read(digest))).equals(content)).toBe(true);
  });

  it('stores the empty blob', async () => {
    await using place = await create();
    await using store = await place.open();
    const digest = digestOfBytes('');
    await store.put(digest, Readable.from([]));
    expect(await store.stat(digest)).toMatchObject({ sizeBytes: 0 });
    expect(await buffer(await store.read(digest))).toHaveLength(0);
    expect(await store.verify(digest)).toBe('sound');
  });

  it('stores blobs by sha512', async () => {
    await using place = await create();
    await using store = await place.open();
    const content = randomBytes(5000);
    const digest = sha512(content);
    await store.put(digest, Readable.from([content]));
    expect((await buffer(await store.read(digest))).equals(content)).toBe(true);
    expect(await names(store)).toEqual([digest]);
    expect(await store.remove(digest)).toBe(true);
  });

  it('put() refuses content with another digest and keeps nothing', async () => {
    await using place = await create();
    await using store = await place.open();
    const digest = digestOfBytes('what was announced');
    await expect(store.put(digest, Readable.from([Buffer.from('what came')]))).rejects.toMatchObject({
      class: 'InvalidArgument',
      code: 'BLOB_DIGEST_MISMATCH',
    });
    expect(await store.stat(digest)).toBeUndefined();
    expect(await uploadIds(store)).toEqual([]);
  });

  it('put() twice keeps one blob', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest, content } = await putRandom(store, 1000);
    await store.put(digest, Readable.from([content]));
    expect(await names(store)).toEqual([digest]);
  });

  it('read() can be piped, to a slow destination', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest, content } = await putRandom(store, 3_000_001);
    const slow = new PassThrough({ highWaterMark: 1000 });
    (await store.read(digest)).pipe(slow);
    expect((await buffer(slow)).equals(content)).toBe(true);
  });

  it('read() gives exactly the bytes of a range', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest, content } = await putRandom(store, 600_000);
    for (const [start, end] of [
      [0, 0],
      [0, 599_999],
      [599_999, 599_999],
      [100, 300_100],
    ] as const) {
      const part = await buffer(await store.read(digest, { start, end }));
      expect(part.equals(content.subarray(start, end + 1))).toBe(true);
    }
  });

  it('read() refuses a range outside of the blob', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest } = await putRandom(store, 10);
    for (const range of [
      { start: 0, end: 10 },
      { start: 5, end: 4 },
      { start: -1, end: 3 },
    ]) {
      await expect(store.read(digest, range)).rejects.toMatchObject({ code: 'BLOB_RANGE_INVALID' });
    }
  });

  it('says that a blob is not there', async () => {
    await using place = await create();
    await using store = await place.open();
    const digest = digestOfBytes('never stored');
    expect(await store.stat(digest)).toBeUndefined();
    expect(await store.verify(digest)).toBe('missing');
    expect(await store.remove(digest)).toBe(false);
    await expect(store.read(digest)).rejects.toMatchObject({ class: 'NotFound', code: 'BLOB_UNKNOWN' });
    await expect(store.read(digest, { start: 0, end: 0 })).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  it('remove() removes, but not what was stored since', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest } = await putRandom(store, 100);
    expect(await store.remove(digest, { unlessModifiedSinceMs: Date.now() - 60_000 })).toBe(false);
    expect(await store.stat(digest)).toBeDefined();
    expect(await store.remove(digest, { unlessModifiedSinceMs: Date.now() + 60_000 })).toBe(true);
    expect(await store.stat(digest)).toBeUndefined();
  });

  it('list() gives every blob with its size', async () => {
    await using place = await create();
    await using store = await place.open();
    const expected = new Map<string, number>();
    for (let size = 0; size < 20; size++) expected.set((await putRandom(store, size + 1)).digest, size + 1);
    const found = new Map<string, number>();
    for await (const { digest, sizeBytes } of store.list()) found.set(digest, sizeBytes);
    expect(found).toEqual(expected);
  });

  it('check() finds a store that works writable', async () => {
    await using place = await create();
    await using store = await place.open();
    expect(await store.check()).toMatchObject({ writable: true });
    expect(await names(store)).toEqual([]);
  });
}
