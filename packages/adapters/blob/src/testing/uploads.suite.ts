import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { digestOfBytes } from '@vic/oci';
import { expect, it } from 'vitest';
import { type StoreUnderTest, failingAfter, names, putRandom, sha512, uploadIds } from './store-under-test.ts';

/** Uploads that grow, are resumed, committed and cancelled. */
export function uploadsSuite(create: () => Promise<StoreUnderTest>): void {
  it('takes an upload in chunks of any size', async () => {
    await using place = await create();
    await using store = await place.open();
    const content = randomBytes(300_000);
    const id = await store.createUpload();
    expect(await store.uploadSize(id)).toBe(0);
    let offset = 0;
    for (const end of [1, 2, 70_000, 70_000, 299_999, 300_000]) {
      offset = await store.append(id, offset, Readable.from([content.subarray(offset, end)]));
      expect(offset).toBe(end);
      expect(await store.uploadSize(id)).toBe(end);
    }
    const digest = digestOfBytes(content);
    expect(await store.commit(id, digest)).toMatchObject({ sizeBytes: 300_000 });
    expect((await buffer(await store.read(digest))).equals(content)).toBe(true);
    await expect(store.uploadSize(id)).rejects.toMatchObject({ class: 'NotFound', code: 'BLOB_UPLOAD_UNKNOWN' });
  });

  it('append() at another offset than the end is a conflict that knows the true size', async () => {
    await using place = await create();
    await using store = await place.open();
    const id = await store.createUpload();
    await store.append(id, 0, Readable.from([Buffer.alloc(10)]));
    for (const offset of [0, 9, 11]) {
      const attempt = store.append(id, offset, Readable.from([Buffer.alloc(5)]));
      await expect(attempt).rejects.toMatchObject({ class: 'Conflict', code: 'BLOB_UPLOAD_OFFSET', sizeBytes: 10 });
    }
    expect(await store.uploadSize(id)).toBe(10);
  });

  it('keeps what arrived before the content failed, and goes on from there', async () => {
    await using place = await create();
    await using store = await place.open();
    const content = randomBytes(200_000);
    const id = await store.createUpload();
    const broken = store.append(id, 0, failingAfter(content.subarray(0, 130_000)));
    await expect(broken).rejects.toThrow('the line went dead');
    const size = await store.uploadSize(id);
    expect(size).toBe(130_000);
    await store.append(id, size, Readable.from([content.subarray(size)]));
    await store.commit(id, digestOfBytes(content));
    expect(await store.verify(digestOfBytes(content))).toBe('sound');
  });

  it('keeps what arrived before the signal fired', async () => {
    await using place = await create();
    await using store = await place.open();
    const id = await store.createUpload();
    const abort = new AbortController();
    const reason = new Error('enough');
    const endless = Readable.from(
      (async function* () {
        yield Buffer.alloc(1000, 1);
        abort.abort(reason);
        await new Promise(() => undefined);
      })(),
    );
    await expect(store.append(id, 0, endless, abort.signal)).rejects.toBe(reason);
    expect(await store.uploadSize(id)).toBe(1000);
  });

  it('append() ends an earlier one of the same upload that has stalled', async () => {
    await using place = await create();
    await using store = await place.open();
    const id = await store.createUpload();
    const { promise: stalled, resolve: stall } = Promise.withResolvers<void>();
    const first = store.append(
      id,
      0,
      Readable.from(
        (async function* () {
          yield Buffer.from('first ');
          stall();
          await new Promise(() => undefined);
        })(),
      ),
    );
    await stalled;
    const second = store.append(id, 6, Readable.from([Buffer.from('second')]));
    await expect(first).rejects.toMatchObject({ code: 'BLOB_UPLOAD_SUPERSEDED' });
    expect(await second).toBe(12);
    const digest = digestOfBytes('first second');
    await store.commit(id, digest);
    expect(await store.verify(digest)).toBe('sound');
  });

  it('commit() of other content than announced ends the upload', async () => {
    await using place = await create();
    await using store = await place.open();
    const id = await store.createUpload();
    await store.append(id, 0, Readable.from([Buffer.from('content')]));
    await expect(store.commit(id, digestOfBytes('other'))).rejects.toMatchObject({ code: 'BLOB_DIGEST_MISMATCH' });
    expect(await names(store)).toEqual([]);
    await expect(store.uploadSize(id)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
  });

  it('commit() by the algorithm that was not announced reads the content again', async () => {
    await using place = await create();
    await using store = await place.open();
    const content = randomBytes(70_000);
    const id = await store.createUpload('sha256');
    await store.append(id, 0, Readable.from([content]));
    await store.commit(id, sha512(content));
    expect(await store.verify(sha512(content))).toBe('sound');
  });

  it('commit() of a blob that is there already succeeds', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest, content } = await putRandom(store, 5000);
    const id = await store.createUpload();
    await store.append(id, 0, Readable.from([content]));
    expect(await store.commit(id, digest)).toMatchObject({ sizeBytes: 5000 });
    expect(await names(store)).toEqual([digest]);
    expect(await uploadIds(store)).toEqual([]);
  });

  it('cancelUpload() removes what arrived', async () => {
    await using place = await create();
    await using store = await place.open();
    const id = await store.createUpload();
    await store.append(id, 0, Readable.from([Buffer.alloc(100)]));
    expect(await uploadIds(store)).toEqual([id]);
    await store.cancelUpload(id);
    expect(await uploadIds(store)).toEqual([]);
    await expect(store.cancelUpload(id)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    await expect(store.append(id, 100, Readable.from([Buffer.alloc(1)]))).rejects.toMatchObject({
      code: 'BLOB_UPLOAD_UNKNOWN',
    });
  });

  it('listUploads() tells size and time', async () => {
    await using place = await create();
    await using store = await place.open();
    const id = await store.createUpload();
    await store.append(id, 0, Readable.from([Buffer.alloc(100)]));
    const [upload] = await Array.fromAsync(store.listUploads());
    expect(upload).toMatchObject({ id, sizeBytes: 100 });
    expect(Math.abs((upload?.modifiedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it.each(['', '..', '../../etc/passwd', 'x'.repeat(10_000), '00000000-0000-0000-0000-000000000000'])(
    'knows no upload %j',
    async (id) => {
      await using place = await create();
      await using store = await place.open();
      await expect(store.uploadSize(id)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
      await expect(store.commit(id, digestOfBytes(''))).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
      await expect(store.cancelUpload(id)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    },
  );
}
