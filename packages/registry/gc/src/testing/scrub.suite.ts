import { open as openFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DialectSuite } from '@vic/sql/testing';
import { buffer } from 'node:stream/consumers';
import { silentLogger } from '@vic/log';
import { MEDIA_TYPES } from '@vic/oci';
import { describe, expect, it } from 'vitest';
import { describeDamage } from '../describe-damage.ts';
import { listDamage } from '../damaged-content.ts';
import { type ScrubReport, scrub } from '../scrub.ts';
import { GcWorld, quietRun } from './gc-world.ts';

const ALL = { offset: 0, limit: 100 };
const PATIENCE = { timeout: 20_000 };

/** What scrub finds. */
export const scrubSuite: DialectSuite = (open) => {
  describe('scrub()', () => {
    it('finds nothing wrong where nothing is', async () => {
      await using world = await GcWorld.open(open);
      await world.image('library/a', ['x'], [await world.layer('library/a'), await world.layer('library/a')]);
      expect(await run(world)).toMatchObject({
        blobs: 3,
        manifests: 1,
        damagedBlobs: 0,
        damagedManifests: 0,
        missingBlobs: 0,
      });
    });

    it('quarantines a damaged blob; pushed again, it is sound and forgotten', async () => {
      await using world = await GcWorld.open(open);
      const layer = await world.layer('library/a');
      const content = await buffer(await world.blobs.read(layer.digest));
      await world.image('library/a', ['x'], [layer]);
      await damage(fileOf(world, layer.digest));
      expect(await run(world)).toMatchObject({ damagedBlobs: 1, missingBlobs: 1 });
      expect((await world.stored()).has(layer.digest)).toBe(false);
      const { items } = await listDamage(world.database.db, ALL);
      expect(items).toMatchObject([{ digest: layer.digest, kind: 'blob' }]);
      await world.blob('library/a', content, MEDIA_TYPES.ociLayerGzip);
      expect(await run(world)).toMatchObject({ damagedBlobs: 0, missingBlobs: 0 });
      expect(await listDamage(world.database.db, ALL)).toEqual({ items: [], total: 0 });
      expect(await describeDamage(world.database.db)).toBeUndefined();
    });

    it('names the images that need what is damaged or missing', async () => {
      await using world = await GcWorld.open(open);
      const [damaged, missing, sound] = [
        await world.layer('library/a'),
        await world.layer('library/b'),
        await world.layer('library/a'),
      ];
      const platform = await world.image('library/a', [], [damaged]);
      await world.index('library/a', ['multi'], [platform]);
      await world.image('library/a', ['v1', 'v2'], [damaged, sound]);
      await world.image('library/a', ['whole'], [sound]);
      const untagged = await world.image('library/b', [], [missing]);
      await damage(fileOf(world, damaged.digest));
      await rm(fileOf(world, missing.digest));
      const lines: string[] = [];
      const log = { info: () => undefined, warn: () => undefined, error: (line: string) => void lines.push(line) };
      const { images } = await scrub(world.deps, { workers: 1 }, { ...quietRun(), log });
      const names = ['library/a:multi', 'library/a:v1', 'library/a:v2', `library/b@${untagged.digest}`];
      expect([...images].toSorted()).toEqual(names);
      expect(lines).toContain(
        `${damaged.digest} was damaged and is in quarantine; needed by library/a:multi, library/a:v1, library/a:v2.`,
      );
      expect(lines).toContain(
        `${missing.digest} is missing in the blob store; needed by library/b@${untagged.digest}.`,
      );
    });

    it('names a few of many images, and counts the others', async () => {
      await using world = await GcWorld.open(open);
      const layer = await world.layer('library/a');
      for (let count = 1; count <= 7; count++) await world.image('library/a', [`v${count}`], [layer]);
      await damage(fileOf(world, layer.digest));
      const lines: string[] = [];
      const log = { info: () => undefined, warn: () => undefined, error: (line: string) => void lines.push(line) };
      await scrub(world.deps, { workers: 1 }, { ...quietRun(), log });
      expect(await describeDamage(world.database.db)).toBe(
        `1 blob or manifest is damaged, needed by ${[1, 2, 3, 4, 5, 6, 7].map((count) => `library/a:v${count}`).join(', ')}`,
      );
      expect(lines[0]).toContain(
        'needed by library/a:v1, library/a:v2, library/a:v3, library/a:v4, library/a:v5 and 2 more.',
      );
    });

    it('tells of a blob that was deleted behind the back of the registry', async () => {
      await using world = await GcWorld.open(open);
      const layer = await world.layer('library/a');
      await rm(fileOf(world, layer.digest));
      expect(await run(world)).toMatchObject({ damagedBlobs: 0, missingBlobs: 1 });
    });

    it('quarantines a damaged manifest; pushed again, it is sound', async () => {
      await using world = await GcWorld.open(open);
      const config = await world.blob('library/a', '{}', 'application/vnd.example');
      const document = { mediaType: MEDIA_TYPES.ociManifest, config, layers: [] };
      const { digest } = await world.manifest('library/a', ['x'], document);
      await world.database.db
        .updateTable('manifests')
        .set({ content: Buffer.from('{}') } as never)
        .where('digest', '=', digest)
        .execute();
      expect(await run(world)).toMatchObject({ damagedManifests: 1 });
      expect(await world.store.getManifest('library/a', 'x')).toBeUndefined();
      expect((await listDamage(world.database.db, ALL)).items).toMatchObject([{ digest, kind: 'manifest' }]);
      await world.manifest('library/a', ['x'], document);
      expect(await run(world)).toMatchObject({ damagedManifests: 0 });
      expect(await world.store.getManifest('library/a', 'x')).toBeDefined();
      expect((await listDamage(world.database.db, ALL)).total).toBe(0);
    });

    it('a damaged blob that was pulled is noted, too, and logged with the images that need it', async () => {
      const logged: object[] = [];
      const error = (_message: string, fields?: object): void => void logged.push(fields ?? {});
      await using world = await GcWorld.open(open, { ...silentLogger(), error });
      const layer = await world.layer('library/a');
      await world.image('library/a', ['x'], [layer]);
      await damage(fileOf(world, layer.digest));
      await expect(buffer(await world.blobs.read(layer.digest))).rejects.toMatchObject({ code: 'BLOB_DAMAGED' });
      await expect
        .poll(async () => (await listDamage(world.database.db, ALL)).items, PATIENCE)
        .toMatchObject([{ digest: layer.digest, kind: 'blob' }]);
      await expect.poll(() => logged, PATIENCE).toContainEqual({ digest: layer.digest, images: 'library/a:x' });
    });
  });
};

async function run(world: GcWorld): Promise<ScrubReport> {
  return scrub(world.deps, { workers: 2 }, quietRun());
}

function fileOf(world: GcWorld, digest: string): string {
  const hex = digest.slice('sha256:'.length);
  return join(world.directory, 'blobs/sha256', hex.slice(0, 2), hex);
}

async function damage(path: string): Promise<void> {
  await using file = await openFile(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 0);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 0);
}
