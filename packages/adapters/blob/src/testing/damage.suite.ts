import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { type StoreUnderTest, names, putRandom } from './store-under-test.ts';

/** Blobs that changed behind the back of the store. */
export function damageSuite(create: () => Promise<StoreUnderTest>): void {
  for (const size of [1, 1000, 256 * 1024, 2_000_000]) {
    it(`never serves a damaged blob of ${size} bytes in full, and puts it out of the way`, async () => {
      await using place = await create();
      const reported: string[] = [];
      await using store = await place.open(({ digest }) => reported.push(digest));
      const { digest, content } = await putRandom(store, size);
      await place.damage(digest);
      let served = 0;
      const reading = (async (): Promise<void> => {
        for await (const chunk of await store.read(digest)) served += (chunk as Uint8Array).length;
      })();
      await expect(reading).rejects.toMatchObject({ class: 'DataLoss', code: 'BLOB_DAMAGED' });
      expect(served).toBeLessThan(size);
      expect(reported).toEqual([digest]);
      await expect(store.read(digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
      expect(await names(store)).toEqual([]);
      await store.put(digest, Readable.from([content]));
      expect((await buffer(await store.read(digest))).equals(content)).toBe(true);
    });
  }

  it('serves no range of a damaged blob', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest } = await putRandom(store, 100_000);
    await place.damage(digest);
    await expect(store.read(digest, { start: 0, end: 9 })).rejects.toMatchObject({ code: 'BLOB_DAMAGED' });
    expect(await store.stat(digest)).toBeUndefined();
  });

  it('verify() finds damage, once', async () => {
    await using place = await create();
    const reported: string[] = [];
    await using store = await place.open(({ digest }) => reported.push(digest));
    const { digest } = await putRandom(store, 1000);
    const sound = await putRandom(store, 1001);
    await place.damage(digest);
    expect(await store.verify(digest)).toBe('damaged');
    expect(await store.verify(digest)).toBe('missing');
    expect(await store.verify(sound.digest)).toBe('sound');
    expect(reported).toEqual([digest]);
  });

  it('a good copy that is pushed replaces a damaged one', async () => {
    await using place = await create();
    await using store = await place.open();
    const { digest, content } = await putRandom(store, 1000);
    await place.damage(digest);
    await store.put(digest, Readable.from([content]));
    expect(await store.verify(digest)).toBe('sound');
  });
}
