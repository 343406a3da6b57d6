import { utimes } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { digestOfBytes } from '@vic/oci';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { GcWorld, quietRun } from './gc-world.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { EVERYTHING } from './gc-world.ts';

/** What a collection removes and what it leaves. */
export const collectSuite: DialectSuite = (open) => {
  describe('collectGarbage()', () => {
    it('frees what only deleted artifacts used, to the byte', async () => {
      await using world = await GcWorld.open(open);
      const shared = await world.layer('library/a', 3000);
      const own = await world.layer('library/a', 5000);
      const kept = await world.image('library/a', ['kept'], [shared]);
      const doomed = await world.image('library/a', ['doomed'], [shared, own]);
      const before = await world.stored();
      await world.delete('library/a', 'doomed');
      const garbage = await world.collect();
      const after = await world.stored();
      expect(after.has(shared.digest)).toBe(true);
      expect(after.has(own.digest)).toBe(false);
      expect(before.size - after.size).toBe(2);
      expect(garbage).toMatchObject({ blobs: 2, manifests: 1, uploads: 0, artifacts: 0 });
      expect(garbage.freedBytes).toBeGreaterThan(own.size + doomed.size);
      expect(await world.store.getManifest('library/a', kept.digest)).toBeDefined();
      expect(await world.collect()).toMatchObject({ blobs: 0, manifests: 0, freedBytes: 0 });
    });

    it('leaves a blob that a repository of another name still has', async () => {
      await using world = await GcWorld.open(open);
      const layer = await world.layer('library/a');
      await world.store.linkBlob(
        { project: { id: 1, name: 'library', public: true }, repository: 'library/b' },
        { digest: layer.digest, sizeBytes: layer.size },
      );
      await world.image('library/a', ['x'], [layer]);
      await world.image('library/b', ['x'], [layer]);
      await world.delete('library/a', 'x');
      await world.collect();
      expect((await world.stored()).has(layer.digest)).toBe(true);
    });

    it('leaves what is younger than the time window', async () => {
      await using world = await GcWorld.open(open);
      const layer = await world.layer('library/a');
      await world.image('library/a', ['x'], [layer]);
      await world.delete('library/a', 'x');
      expect(await world.collect({ timeWindowHours: 1 })).toMatchObject({ blobs: 0, manifests: 0 });
      world.aheadMs = 2 * 60 * 60 * 1000;
      expect(await world.collect({ timeWindowHours: 1 })).toMatchObject({ blobs: 2, manifests: 1 });
    });

    it('removes blobs whose manifest never came, and those that no row tells of', async () => {
      await using world = await GcWorld.open(open);
      await world.layer('library/a');
      await world.blobs.put(digestOfBytes('unknown'), Readable.from([Buffer.from('unknown')]));
      expect(await world.collect({ timeWindowHours: 1 })).toMatchObject({ blobs: 0 });
      expect(await world.collect()).toMatchObject({ blobs: 2, freedBytes: 1007 });
      expect((await world.stored()).size).toBe(0);
    });

    it('removes uploads that nobody goes on with, but none of the last hour', async () => {
      await using world = await GcWorld.open(open);
      const id = await world.blobs.createUpload();
      await world.blobs.append(id, 0, Readable.from([Buffer.alloc(100)]));
      const active = await world.blobs.createUpload();
      expect(await world.collect()).toMatchObject({ uploads: 0 });
      const uploads = join(world.directory, 'uploads');
      const name = (await readdir(uploads)).find((file) => file.startsWith(id)) ?? '';
      await utimes(join(uploads, name), 1000, 1000);
      expect(await world.collect()).toMatchObject({ uploads: 1, freedBytes: 100 });
      expect(await world.blobs.uploadSize(active)).toBe(0);
      await expect(world.blobs.uploadSize(id)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    });

    it('stops when it is told to, and goes on later', async () => {
      await using world = await GcWorld.open(open);
      for (let count = 0; count < 5; count++) await world.layer('library/a');
      world.aheadMs += 5;
      const abort = new AbortController();
      const removing = {
        ...world.blobs,
        list: (signal?: AbortSignal) => world.blobs.list(signal),
        listUploads: (signal?: AbortSignal) => world.blobs.listUploads(signal),
        remove: async (...parameters: Parameters<typeof world.blobs.remove>) => {
          abort.abort(new Error('stopped'));
          return world.blobs.remove(...parameters);
        },
      } as typeof world.blobs;
      const run = collectGarbage(
        { ...world.deps, blobs: removing },
        { ...EVERYTHING, workers: 1 },
        quietRun(abort.signal),
      );
      await expect(run).rejects.toThrow('stopped');
      expect((await world.stored()).size).toBe(4);
      expect(await world.collect()).toMatchObject({ blobs: 4 });
      expect((await world.stored()).size).toBe(0);
    });
  });

  describe('delete_untagged', () => {
    it('deletes untagged artifacts with what they list and what belongs to them', async () => {
      await using world = await GcWorld.open(open);
      const child = await world.image('library/a', [], [await world.layer('library/a')]);
      const index = await world.index('library/a', [], [child]);
      await world.image('library/a', [], [], {
        subject: index,
        artifactType: 'application/vnd.example.sbom',
      });
      const tagged = await world.image('library/a', ['v1'], [await world.layer('library/a')]);
      const sharedChild = await world.image('library/a', [], [await world.layer('library/a')]);
      await world.index('library/a', ['multi'], [sharedChild]);
      expect(await world.collect({ deleteUntagged: true, timeWindowHours: 1 })).toMatchObject({ artifacts: 0 });
      const garbage = await world.collect({ deleteUntagged: true });
      expect(garbage).toMatchObject({ artifacts: 2, manifests: 3 });
      expect(await world.store.getManifest('library/a', index.digest)).toBeUndefined();
      expect(await world.store.getManifest('library/a', child.digest)).toBeUndefined();
      expect(await world.store.getManifest('library/a', tagged.digest)).toBeDefined();
      expect(await world.store.getManifest('library/a', sharedChild.digest)).toBeDefined();
    });

    it('leaves them without being asked', async () => {
      await using world = await GcWorld.open(open);
      const image = await world.image('library/a', []);
      expect(await world.collect()).toMatchObject({ artifacts: 0, blobs: 0 });
      expect(await world.store.getManifest('library/a', image.digest)).toBeDefined();
    });
  });

  describe('estimateGarbage()', () => {
    it.each([false, true])(
      'changes nothing, and tells exactly what is then removed (untagged: %s)',
      async (untagged) => {
        await using world = await GcWorld.open(open);
        const shared = await world.layer('library/a');
        await world.image('library/a', ['kept'], [shared]);
        await world.image('library/a', ['gone'], [shared, await world.layer('library/a', 777)]);
        const child = await world.image('library/a', [], [shared, await world.layer('library/a', 555)]);
        const index = await world.index('library/a', [], [child]);
        await world.image('library/a', [], [], { subject: index, artifactType: 'application/vnd.example.sbom' });
        await world.delete('library/a', 'gone');
        await world.layer('library/b', 99);
        await world.blobs.put(digestOfBytes('unknown'), Readable.from([Buffer.from('unknown')]));
        const before = await world.stored();
        const estimate = await world.estimate({ deleteUntagged: untagged });
        expect(await world.stored()).toEqual(before);
        expect(await world.estimate({ deleteUntagged: untagged })).toEqual(estimate);
        expect(await world.collect({ deleteUntagged: untagged })).toEqual(estimate);
        expect(estimate.blobs).toBe(untagged ? 7 : 4);
      },
    );
  });
};
