import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { digestOfBytes } from '@vic/oci';
import { expect, it } from 'vitest';
import { type StoreUnderTest, names, uploadIds } from './store-under-test.ts';

/** Several processes on one store. */
export function sharingSuite(create: () => Promise<StoreUnderTest>): void {
  it('an upload goes on in another process', async () => {
    await using place = await create();
    await using first = await place.open();
    await using second = await place.open();
    const content = randomBytes(100_000);
    const digest = digestOfBytes(content);
    const id = await first.createUpload();
    await first.append(id, 0, Readable.from([content.subarray(0, 40_000)]));
    expect(await second.uploadSize(id)).toBe(40_000);
    await second.append(id, 40_000, Readable.from([content.subarray(40_000, 90_000)]));
    await first.append(id, 90_000, Readable.from([content.subarray(90_000)]));
    await second.commit(id, digest);
    expect((await buffer(await first.read(digest))).equals(content)).toBe(true);
    expect(await uploadIds(first)).toEqual([]);
  });

  it('nothing that one process still sends changes what another has committed', async () => {
    await using place = await create();
    await using first = await place.open();
    await using second = await place.open();
    const id = await first.createUpload();
    const { promise: go, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const late = first.append(
      id,
      0,
      Readable.from(
        (async function* () {
          begin();
          await go;
          yield Buffer.from('EVIL');
        })(),
      ),
    );
    await begun;
    await second.append(id, 0, Readable.from([Buffer.from('good')]));
    await second.commit(id, digestOfBytes('good'));
    release();
    await late.catch(() => undefined);
    expect(String(await buffer(await first.read(digestOfBytes('good'))))).toBe('good');
    await first.commit(id, digestOfBytes('EVIL')).catch(() => undefined);
    expect(await second.verify(digestOfBytes('good'))).toBe('sound');
  });

  it('two processes that commit the same upload make one blob', async () => {
    await using place = await create();
    await using first = await place.open();
    await using second = await place.open();
    const digest = digestOfBytes('shared');
    const id = await first.createUpload();
    await first.append(id, 0, Readable.from([Buffer.from('shared')]));
    const outcomes = await Promise.allSettled([first.commit(id, digest), second.commit(id, digest)]);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await first.verify(digest)).toBe('sound');
    expect(await names(second)).toEqual([digest]);
  });

  it('many uploads of the same content at once all succeed', async () => {
    await using place = await create();
    await using first = await place.open();
    await using second = await place.open();
    const content = randomBytes(50_000);
    const digest = digestOfBytes(content);
    const puts = Array.from({ length: 10 }, async (_, index) =>
      (index % 2 === 0 ? first : second).put(digest, Readable.from([content])),
    );
    for (const { sizeBytes } of await Promise.all(puts)) expect(sizeBytes).toBe(50_000);
    expect(await first.verify(digest)).toBe('sound');
    expect(await uploadIds(first)).toEqual([]);
  });
}
