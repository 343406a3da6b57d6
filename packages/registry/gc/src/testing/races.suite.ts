import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore } from '@vic/blob';
import { isVicError } from '@vic/errors';
import { digestOfBytes } from '@vic/oci';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../collect-garbage.ts';
import { EVERYTHING, GcWorld, placeOf, quietRun } from './gc-world.ts';

const CONTENTS = Array.from({ length: 4 }, (_, index) => Buffer.from(`content ${index}`));
const ROUNDS = 15;
const PUSHERS = 4;

/** Pushes beside collections that protect nothing: an acknowledged blob is there, whatever the interleaving. */
export const racesSuite: DialectSuite = (open) => {
  describe('collections beside pushes', () => {
    it('a push either keeps its blob or is told to push again', async () => {
      await using world = await GcWorld.open(open);
      const lost: string[] = [];
      const done = new AbortController();
      const collecting = (async (): Promise<void> => {
        while (!done.signal.aborted) {
          const deps = { ...world.deps, blobs: hesitant(world.blobs), nowMs: () => Date.now() + 5 };
          await collectGarbage(deps, EVERYTHING, quietRun());
          await sleep(Math.random() * 3);
        }
      })();
      const pushers = Array.from({ length: PUSHERS }, async (_, pusher) => {
        for (let round = 0; round < ROUNDS; round++) {
          const content = CONTENTS[(round + pusher) % CONTENTS.length] ?? Buffer.alloc(0);
          const repository = `library/r${pusher}`;
          if (!(await push(world, repository, content))) continue;
          // Acknowledged: while the repository has the link, the content is there.
          const digest = digestOfBytes(content);
          const present = await world.blobs.stat(digest);
          const linked = await world.store.findBlob(repository, digest);
          if (present === undefined && linked !== undefined) lost.push(digest);
          await sleep(Math.random() * 3);
          await world.store.unlinkBlob(repository, digest);
        }
      });
      // Nothing may go on when the world is closed, however this ends.
      await Promise.allSettled([Promise.all(pushers).finally(() => done.abort()), collecting]);
      await Promise.all([...pushers, collecting]);
      expect(lost).toEqual([]);
      await world.collect();
      expect((await world.stored()).size).toBe(0);
    });
  });

  describe('a collection that is cut off', () => {
    it('is harmless wherever it was, and finished by the next', async () => {
      await using world = await GcWorld.open(open);
      const kept = await world.layer('library/a');
      await world.image('library/a', ['kept'], [kept]);
      for (const cut of [0, 1, 4, 7]) {
        for (const tag of ['v1', 'v2']) {
          await world.image('library/a', [tag], [await world.layer('library/a'), kept]);
          await world.delete('library/a', tag);
        }
        let calls = 0;
        const cutOff = observed(world.blobs, async () => {
          if (calls++ === cut) throw new Error('the power went');
        });
        await expect(world.collect({ workers: 1 }, { blobs: cutOff })).rejects.toThrow('the power went');
        await world.collect();
        expect((await world.stored()).size).toBe(2);
        const rows = await world.database.db.selectFrom('blobs').select('state').execute();
        expect(rows).toEqual([{ state: 'live' }, { state: 'live' }]);
        expect(await world.blobs.verify(kept.digest)).toBe('sound');
      }
    });
  });
};

/** As `/v2` takes a blob; false when the client is told to try again. */
async function push(world: GcWorld, repository: string, content: Buffer): Promise<boolean> {
  const digest = digestOfBytes(content);
  await world.blobs.put(digest, Readable.from([content]));
  await sleep(Math.random() * 3);
  try {
    await world.store.linkBlob(placeOf(repository), { digest, sizeBytes: content.length });
  } catch (error) {
    if (isVicError(error, { code: 'BLOB_CONDEMNED' })) return false;
    throw error;
  }
  if ((await world.blobs.stat(digest)) !== undefined) return true;
  await world.store.unlinkBlob(repository, digest);
  return false;
}

function hesitant(blobs: BlobStore): BlobStore {
  return observed(blobs, async () => sleep(Math.random() * 3));
}

/** The store with something done before and after each of the collector's steps. */
function observed(blobs: BlobStore, between: () => Promise<void>): BlobStore {
  return new Proxy(blobs, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      const call = method.bind(target) as (...parameters: unknown[]) => unknown;
      if (name !== 'remove' && name !== 'cancelUpload') return call;
      return async (...parameters: unknown[]) => {
        await between();
        const result = await call(...parameters);
        await between();
        return result;
      };
    },
  });
}
