import { VicError } from '@vic/errors';
import { MEDIA_TYPES, digestOfBytes } from '@vic/oci';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import {
  adoptBlob,
  claimBlob,
  condemnBlobs,
  condemnedBlobs,
  expireLinks,
  forgetBlob,
  removeUnusedManifests,
  unusedBlobs,
} from '../blob-claims.ts';
import { StoreUnderTest, actor, nonce, placeOf } from './store-under-test.ts';

const HOUR_MS = 3_600_000;

/** What is promised of deletion, storage use, mounts, copies and the collector's protocol. */
export const storageSuite: DialectSuite = (open) => {
  describe('usageOf()', () => {
    it('counts a blob once in a project, and again in another', async () => {
      await using test = await StoreUnderTest.open(open);
      const content = nonce();
      for (const repository of ['library/a', 'library/b', 'other/c']) {
        await test.blob(repository, content, MEDIA_TYPES.ociLayer);
        await test.blob(repository, content, MEDIA_TYPES.ociLayer);
      }
      expect(await test.store.usageOf(1)).toBe(content.length);
      expect(await test.store.usageOf(2)).toBe(content.length);
      await test.store.fold();
      expect(await test.store.usageOf(1)).toBe(content.length);
      expect(await test.database.db.selectFrom('usage_deltas').selectAll().execute()).toEqual([]);
    });

    it('is freed at once when an artifact goes, except for what others of the project still use', async () => {
      await using test = await StoreUnderTest.open(open);
      const shared = await test.blob('library/a', nonce(), MEDIA_TYPES.ociLayer);
      const first = await test.image('library/a', ['one'], {}, [shared]);
      const before = await test.store.usageOf(1);
      await test.image('library/a', ['two'], {}, [shared]);
      await test.store.deleteArtifact(placeOf('library/a'), actor, 'two');
      expect(await test.store.usageOf(1)).toBe(before);
      await test.store.copyArtifact(placeOf('library/b'), actor, { repository: 'library/a', reference: 'one' });
      expect(await test.store.usageOf(1)).toBe(before);
      await test.store.deleteArtifact(placeOf('library/a'), actor, first.artifact.digest);
      expect(await test.store.usageOf(1)).toBe(before);
      await test.store.deleteRepository(placeOf('library/b'), actor);
      expect(await test.store.usageOf(1)).toBe(0);
    });

    it('tells the gates what would be added', async () => {
      const added: number[] = [];
      await using test = await StoreUnderTest.open(open, {
        gates: [{ name: 'test', beforeBlob: async ({ sizeBytesToAdd }) => void added.push(sizeBytesToAdd) }],
      });
      const { digest, size } = await test.blob('library/a', nonce(), MEDIA_TYPES.ociLayer);
      await test.store.admitBlob(placeOf('library/b'), actor, { digest, sizeBytes: size });
      await test.store.admitBlob(placeOf('other/b'), actor, { digest, sizeBytes: size });
      await test.store.admitBlob(placeOf('library/b'), actor, { digest: undefined, sizeBytes: 5 });
      expect(added).toEqual([0, size, 5]);
    });
  });

  describe('deleteArtifact()', () => {
    it('takes tags and accessories along, and theirs', async () => {
      await using test = await StoreUnderTest.open(open);
      const image = await test.image('library/app', ['v1', 'v2']);
      const subjectOf = (digest: string): object => ({
        subject: { mediaType: MEDIA_TYPES.ociManifest, digest, size: 1 },
      });
      const signature = await test.image('library/app', [], subjectOf(image.artifact.digest));
      const attestation = await test.image('library/app', ['note'], subjectOf(signature.artifact.digest));
      await test.store.deleteArtifact(placeOf('library/app'), actor, 'v1');
      for (const { artifact } of [image, signature, attestation]) {
        expect(await test.store.resolve('library/app', artifact.digest)).toBeUndefined();
      }
      expect(await test.store.listTags('library/app', { limit: 9 })).toEqual([]);
      expect(await test.store.usageOf(1)).toBe(0);
      const deleted = (await test.events()).filter(({ type }) => type === 'artifact.deleted');
      expect(deleted).toMatchObject([{ tags: ['v1', 'v2'] }, { tags: [] }, { tags: ['note'] }]);
    });

    it('is refused while an index lists the artifact; the index goes without its children', async () => {
      await using test = await StoreUnderTest.open(open);
      const child = await test.image('library/app');
      const entry = { digest: child.artifact.digest, size: 1 };
      await test.index('library/app', ['all'], [entry]);
      const place = placeOf('library/app');
      await expect(test.store.deleteArtifact(place, actor, entry.digest)).rejects.toMatchObject({
        class: 'FailedPrecondition',
        code: 'REFERENCE_ARTIFACT',
        message: 'the deleting artifact is referenced by others',
      });
      await test.store.deleteArtifact(place, actor, 'all');
      expect(await test.store.resolve('library/app', entry.digest)).toBeDefined();
      await test.store.deleteArtifact(place, actor, entry.digest);
      await expect(test.store.deleteArtifact(place, actor, entry.digest)).rejects.toMatchObject({ class: 'NotFound' });
    });

    it('does not take the list of referrers that clients keep under a tag for a reference', async () => {
      await using test = await StoreUnderTest.open(open);
      const { artifact: image } = await test.image('library/app', ['v1']);
      const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: image.digest, size: 1 };
      const [first, second] = [
        await test.image('library/app', [], { subject }),
        await test.image('library/app', [], { subject }),
      ].map(({ artifact }) => ({ digest: artifact.digest, size: 1 }));
      if (first === undefined || second === undefined) throw new Error('unreachable');
      const tag = image.digest.replace(':', '-');
      await test.index('library/app', [tag], [first]);
      await test.index('library/app', [tag], [first, second]);
      const place = placeOf('library/app');
      await test.store.deleteArtifact(place, actor, first.digest);
      expect(await test.store.listReferrers('library/app', image.digest)).toMatchObject([{ digest: second.digest }]);
      await test.index(
        'library/app',
        ['all'],
        [second, image].map(({ digest }) => ({ digest, size: 1 })),
      );
      await expect(test.store.deleteArtifact(place, actor, second.digest)).rejects.toMatchObject({
        code: 'REFERENCE_ARTIFACT',
      });
      await test.store.deleteArtifact(place, actor, 'all');
      await test.store.deleteArtifact(place, actor, image.digest);
      expect(await test.store.listTags('library/app', { limit: 9 })).toEqual([]);
    });

    it('is refused by gates, also when the whole repository is to go', async () => {
      const refuse = new VicError({ class: 'FailedPrecondition', code: 'POLICY_TEST', message: 'immutable' });
      await using test = await StoreUnderTest.open(open, {
        gates: [
          {
            name: 'test',
            beforeArtifactDelete: async ({ tags }) => (tags.includes('v1') ? Promise.reject(refuse) : undefined),
          },
        ],
      });
      await test.image('library/app', ['v0']);
      await test.image('library/app', ['v1']);
      await expect(test.store.deleteArtifact(placeOf('library/app'), actor, 'v1')).rejects.toBe(refuse);
      await expect(test.store.deleteRepository(placeOf('library/app'), actor)).rejects.toBe(refuse);
      expect(await test.store.listTags('library/app', { limit: 9 })).toEqual(['v0', 'v1']);
    });
  });

  it('deleteRepository() removes a repository of any size', async () => {
    await using test = await StoreUnderTest.open(open);
    const layer = await test.blob('library/app', nonce(), MEDIA_TYPES.ociLayer);
    for (let count = 0; count < 120; count += 1) await test.image('library/app', [`v${count}`], {}, [layer]);
    await test.blob('library/app', nonce(), MEDIA_TYPES.ociLayer);
    await test.store.deleteRepository(placeOf('library/app'), actor);
    expect(await test.store.findRepository('library/app')).toBeUndefined();
    expect(await test.store.usageOf(1)).toBe(0);
    const events = await test.events();
    expect(events.filter(({ type }) => type === 'artifact.deleted')).toHaveLength(120);
    expect(events.at(-1)).toMatchObject({ type: 'repository.deleted', repository: 'library/app' });
  });

  describe('mountBlob()', () => {
    it('mounts from a repository the caller may pull, named or not', async () => {
      await using test = await StoreUnderTest.open(open);
      const { digest } = await test.blob('other/secret', nonce(), MEDIA_TYPES.ociLayer);
      const mount = async (from: string | undefined, allowed: readonly string[]) =>
        test.store.mountBlob(placeOf('library/app'), actor, {
          digest,
          from,
          mayPull: async (name) => allowed.includes(name),
        });
      expect(await mount('other/secret', [])).toBeUndefined();
      expect(await mount(undefined, [])).toBeUndefined();
      expect(await mount('other/elsewhere', ['other/elsewhere'])).toBeUndefined();
      expect(await test.store.findBlob('library/app', digest)).toBeUndefined();
      expect(await mount(undefined, ['other/secret'])).toMatchObject({ digest });
      expect(await test.store.findBlob('library/app', digest)).toMatchObject({ digest });
    });
  });

  it('copyArtifact() takes children, accessories and the tag along', async () => {
    await using test = await StoreUnderTest.open(open);
    const child = await test.image('library/app');
    const index = await test.index('library/app', ['v1'], [{ digest: child.artifact.digest, size: 1 }]);
    const signature = await test.image('library/app', [`${child.artifact.digest.replace(':', '-')}.sig`]);
    const subject = { mediaType: MEDIA_TYPES.ociIndex, digest: index.artifact.digest, size: 1 };
    const sbom = await test.image('library/app', [], { subject, artifactType: 'application/spdx+json' });
    const copy = await test.store.copyArtifact(placeOf('other/app'), actor, {
      repository: 'library/app',
      reference: 'v1',
    });
    expect(copy.digest).toBe(index.artifact.digest);
    for (const { artifact } of [child, signature, sbom]) {
      expect(await test.store.resolve('other/app', artifact.digest)).toMatchObject({ type: artifact.type });
    }
    expect(await test.store.listTags('other/app', { limit: 9 })).toHaveLength(2);
    const missing = test.store.copyArtifact(placeOf('other/app'), actor, {
      repository: 'library/app',
      reference: 'v9',
    });
    await expect(missing).rejects.toMatchObject({ class: 'NotFound' });
  });

  describe('the collector', () => {
    it('condemns what nobody links for long, and nobody can link it then', async () => {
      await using test = await StoreUnderTest.open(open);
      const used = await test.image('library/app', ['v1']);
      const loose = await test.blob('library/app', 'loose', MEDIA_TYPES.ociLayer);
      await expect(test.store.unlinkBlob('library/app', loose.digest)).resolves.toBe(true);
      const { database, clock } = test;
      const condemn = async () =>
        database.transaction(async (tx) =>
          condemnBlobs(tx, { unclaimedSinceMs: clock.nowMs - HOUR_MS, nowMs: clock.nowMs, limit: 100 }),
        );
      expect(await condemn()).toEqual([]);
      clock.nowMs += 2 * HOUR_MS;
      const dryRun = { unclaimedSinceMs: clock.nowMs - HOUR_MS, limit: 100, after: '' };
      expect(await unusedBlobs(database.db, dryRun)).toEqual([{ digest: loose.digest, sizeBytes: 5 }]);
      expect(await condemn()).toMatchObject([{ digest: loose.digest, sizeBytes: 5 }]);
      expect(await test.store.blobState(loose.digest)).toBe('condemned');
      await expect(test.blob('library/app', 'loose', MEDIA_TYPES.ociLayer)).rejects.toMatchObject({
        code: 'BLOB_CONDEMNED',
      });
      expect(await condemnedBlobs(database.db, 10)).toMatchObject([{ digest: loose.digest }]);
      await forgetBlob(database.db, loose.digest);
      await test.blob('library/app', 'loose', MEDIA_TYPES.ociLayer);
      expect(await test.store.blobState(loose.digest)).toBe('live');
      expect(await test.store.resolve('library/app', used.artifact.digest)).toBeDefined();
    });

    it('keeps a claimed blob, however the claim and the condemnation interleave', async () => {
      await using test = await StoreUnderTest.open(open);
      const { database } = test;
      for (let round = 0; round < 10; round += 1) {
        const digest = digestOfBytes(`race ${round}`);
        await adoptBlob(database.db, { digest, sizeBytes: 1, modifiedAtMs: 0 });
        const [linked, condemned] = await Promise.all([
          test.store.linkBlob(placeOf('library/race'), { digest, sizeBytes: 1 }).then(
            () => true,
            () => false,
          ),
          database.transaction(async (tx) => condemnBlobs(tx, { unclaimedSinceMs: 1, nowMs: 2, limit: 10 })),
        ]);
        expect(linked).toBe(condemned.length === 0);
        await forgetBlob(database.db, digest);
      }
    });

    it('claims afresh, so that a blob told to be there stays for the push to follow', async () => {
      await using test = await StoreUnderTest.open(open);
      const { database, clock } = test;
      const digest = digestOfBytes('claimed');
      await adoptBlob(database.db, { digest, sizeBytes: 7, modifiedAtMs: 0 });
      await database.transaction(async (tx) => claimBlob(tx, { digest, sizeBytes: 7, nowMs: clock.nowMs }));
      const condemned = await database.transaction(async (tx) =>
        condemnBlobs(tx, { unclaimedSinceMs: clock.nowMs, nowMs: clock.nowMs, limit: 10 }),
      );
      expect(condemned).toEqual([]);
    });

    it('unlinks uploads whose manifest never came, but not those asked about lately', async () => {
      await using test = await StoreUnderTest.open(open);
      const { database, clock } = test;
      const used = await test.image('library/app', ['v1']);
      const before = await test.store.usageOf(1);
      const [old, kept] = [
        await test.blob('library/app', nonce(), 'a/b'),
        await test.blob('library/app', nonce(), 'a/b'),
      ];
      clock.nowMs += 2 * HOUR_MS;
      expect(await test.store.findBlob('library/app', kept.digest, { keep: true })).toBeDefined();
      const expired = await database.transaction(async (tx) =>
        expireLinks(tx, { untouchedSinceMs: clock.nowMs - HOUR_MS, limit: 100 }),
      );
      expect(expired).toBe(1);
      expect(await test.store.findBlob('library/app', old.digest)).toBeUndefined();
      expect(await test.store.findBlob('library/app', kept.digest)).toBeDefined();
      expect(await test.store.usageOf(1)).toBe(before + kept.size);
      expect(await test.store.getManifest('library/app', used.artifact.digest)).toBeDefined();
    });

    it('removes manifests that no repository has', async () => {
      await using test = await StoreUnderTest.open(open);
      const { database, clock } = test;
      await test.image('library/app', ['gone']);
      const kept = await test.image('library/app', ['kept']);
      await test.store.deleteArtifact(placeOf('library/app'), actor, 'gone');
      const remove = async (unclaimedSinceMs: number) =>
        database.transaction(async (tx) => removeUnusedManifests(tx, { unclaimedSinceMs, limit: 100 }));
      expect(await remove(clock.nowMs)).toMatchObject({ count: 0 });
      expect(await remove(clock.nowMs + 1)).toMatchObject({ count: 1 });
      expect(await test.store.getManifest('library/app', kept.artifact.digest)).toBeDefined();
    });
  });

  it('lists repositories by project and for the catalogue', async () => {
    await using test = await StoreUnderTest.open(open);
    for (const name of ['library/b', 'library/a', 'other/c']) await test.store.createRepository(placeOf(name));
    await test.store.describeRepository('library/a', 'first');
    expect(await test.store.listRepositories(1, { limit: 1 })).toMatchObject([
      { name: 'library/a', description: 'first' },
    ]);
    expect(await test.store.listRepositories(1, { after: 'library/a', limit: 9 })).toMatchObject([
      { name: 'library/b' },
    ]);
    expect(await test.store.countRepositories(1)).toBe(2);
    expect(await test.store.listCatalog('all', { limit: 9 })).toEqual(['library/a', 'library/b', 'other/c']);
    expect(await test.store.listCatalog([2], { limit: 9 })).toEqual(['other/c']);
    expect(await test.store.listCatalog([], { limit: 9 })).toEqual([]);
  });

  it('lists a repository from its first manifest on, also once that is gone', async () => {
    await using test = await StoreUnderTest.open(open);
    const { digest } = await test.blob('library/new', 'a layer', MEDIA_TYPES.ociLayerGzip);
    expect(await test.store.countRepositories(1)).toBe(0);
    expect(await test.store.listCatalog('all', { limit: 9 })).toEqual([]);
    expect(await test.store.listTags('library/new', { limit: 9 })).toBeUndefined();
    expect(await test.store.findBlob('library/new', digest)).toBeDefined();
    await test.image('library/new', ['v1']);
    expect(await test.store.listCatalog('all', { limit: 9 })).toEqual(['library/new']);
    await test.store.deleteArtifact(placeOf('library/new'), actor, 'v1');
    expect(await test.store.listCatalog('all', { limit: 9 })).toEqual(['library/new']);
  });

  it('a project that is deleted takes what broken-off pushes left', async () => {
    await using test = await StoreUnderTest.open(open);
    await test.blob('library/broken', 'a layer', MEDIA_TYPES.ociLayerGzip);
    expect(await test.store.usageOf(1)).toBeGreaterThan(0);
    await test.database.transaction(async (tx) => test.store.projectDeleted(tx, 1));
    expect(await test.store.findRepository('library/broken')).toBeUndefined();
    expect(await test.store.usageOf(1)).toBe(0);
  });
};
