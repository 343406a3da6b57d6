import { VicError } from '@vic/errors';
import { type ContentDigest, MEDIA_TYPES, contentDigestOf, digestOfBytes } from '@vic/oci';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import type { ArtifactGate } from '../artifact-gate.ts';
import { MissingContent } from '../missing-content.ts';
import { StoreUnderTest, actor, nonce, placeOf } from './store-under-test.ts';

const NOWHERE = digestOfBytes('nowhere');

/** What is promised of pushing, tagging and pulling. */
export const manifestsSuite: DialectSuite = (open) => {
  describe('putManifest()', () => {
    it('stores an image with its tags, attributes and events in one step', async () => {
      await using test = await StoreUnderTest.open(open);
      const { artifact, changed } = await test.image('library/app', ['v1', 'latest'], { annotations: { a: 'b' } });
      expect(changed).toBe(true);
      expect(artifact).toMatchObject({
        projectId: 1,
        type: 'IMAGE',
        mediaType: MEDIA_TYPES.ociConfig,
        manifestMediaType: MEDIA_TYPES.ociManifest,
        extraAttributes: { os: 'linux', architecture: 'arm64', author: 'Ada' },
        annotations: { a: 'b' },
        subject: undefined,
        pushedAtMs: test.clock.nowMs,
        pulledAtMs: undefined,
      });
      expect(await test.store.resolve('library/app', 'v1')).toEqual(artifact);
      expect(await test.store.resolve('library/app', artifact.digest)).toEqual(artifact);
      expect(await test.store.resolve('library/app', 'v2')).toBeUndefined();
      expect(await test.store.resolve('library/other', 'v1')).toBeUndefined();
      const subject = { repository: 'library/app', digest: artifact.digest, operator: 'ada', projectName: 'library' };
      expect(await test.events()).toMatchObject([
        { type: 'artifact.pushed', ...subject, tags: ['v1', 'latest'], artifactType: 'IMAGE' },
        { type: 'tag.created', ...subject, tags: ['v1'] },
        { type: 'tag.created', ...subject, tags: ['latest'] },
      ]);
    });

    it('asks the gates again when its tag was moved while they were asked', async () => {
      const asked: string[] = [];
      let meanwhile = async (): Promise<void> => undefined;
      const isThere = async (): Promise<boolean> => (await test.store.resolve('library/app', 'v1')) !== undefined;
      const gate: ArtifactGate = {
        name: 'immutability',
        beforePush: async ({ digest }) => {
          asked.push(digest);
          if (await isThere()) throw new VicError({ class: 'FailedPrecondition', code: 'TEST', message: 'immutable' });
          const first = meanwhile;
          meanwhile = async () => undefined;
          await first();
        },
      };
      await using test = await StoreUnderTest.open(open, { gates: [gate] });
      let winner = '';
      meanwhile = async () => {
        winner = (await test.image('library/app', ['v1'])).artifact.digest;
      };
      await expect(test.image('library/app', ['v1'])).rejects.toMatchObject({ code: 'TEST' });
      expect((await test.store.resolve('library/app', 'v1'))?.digest).toBe(winner);
      expect(asked).toEqual([asked[0], winner, asked[0]]);
    });

    it('moves a tag and leaves what it pointed to untagged', async () => {
      await using test = await StoreUnderTest.open(open);
      const first = await test.image('library/app', ['v1']);
      const second = await test.image('library/app', ['v1']);
      expect((await test.store.resolve('library/app', 'v1'))?.digest).toBe(second.artifact.digest);
      expect(await test.store.tagsOf(first.artifact.id)).toEqual([]);
      expect(await test.store.resolve('library/app', first.artifact.digest)).toBeDefined();
    });

    it('tells nothing when the same manifest is pushed again under the same tag', async () => {
      await using test = await StoreUnderTest.open(open);
      const { artifact } = await test.image('library/app', ['v1']);
      const served = await test.store.getManifest('library/app', 'v1');
      const before = await test.events();
      test.clock.nowMs += 1000;
      const again = await test.store.putManifest(placeOf('library/app'), actor, {
        content: served?.manifest.content ?? new Uint8Array(),
        mediaType: MEDIA_TYPES.ociManifest,
        digest: artifact.digest,
        tags: ['v1'],
      });
      expect(again.changed).toBe(false);
      expect(await test.events()).toEqual(before);
      expect(await test.store.tagsOf(artifact.id)).toMatchObject([{ name: 'v1', pushedAtMs: test.clock.nowMs }]);
    });

    it('names everything that is missing at once', async () => {
      await using test = await StoreUnderTest.open(open);
      const layer = { mediaType: MEDIA_TYPES.ociLayer, digest: NOWHERE, size: 1 };
      const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOfBytes('config'), size: 1 };
      const error = await test.push('library/app', ['v1'], { config, layers: [layer, layer] }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(MissingContent);
      expect((error as MissingContent).digests).toEqual([config.digest, NOWHERE]);
      expect(await test.store.findRepository('library/app')).toBeUndefined();
    });

    it('does not take a blob of another repository for its own', async () => {
      await using test = await StoreUnderTest.open(open);
      const layer = await test.blob('library/other', nonce(), MEDIA_TYPES.ociLayer);
      await expect(test.image('library/app', [], {}, [layer])).rejects.toThrow(MissingContent);
    });

    it('accepts a foreign layer that is nowhere, and an index of manifests that are elsewhere', async () => {
      await using test = await StoreUnderTest.open(open);
      const foreign = {
        mediaType: MEDIA_TYPES.dockerForeignLayer,
        digest: NOWHERE,
        size: 1,
        urls: ['https://x.test/'],
      };
      await test.image('library/app', ['foreign'], { layers: [foreign] });
      await test.index('library/app', ['sparse'], [{ digest: NOWHERE, size: 7 }]);
      const index = await test.store.resolve('library/app', 'sparse');
      expect(await test.store.listReferences(index?.id ?? 0)).toMatchObject([{ digest: NOWHERE, sizeBytes: 7 }]);
    });

    it('refuses sparse indexes when told to', async () => {
      await using test = await StoreUnderTest.open(open, { sparse: 'none' });
      const child = await test.image('library/app');
      const entry = { digest: child.artifact.digest, size: 1 };
      await test.index('library/app', ['complete'], [entry]);
      await expect(test.index('library/app', ['sparse'], [entry, { digest: NOWHERE, size: 1 }])).rejects.toThrow(
        NOWHERE,
      );
    });

    it('refuses content that does not have its digest, tags that are none, and old schemas', async () => {
      await using test = await StoreUnderTest.open(open);
      const place = placeOf('library/app');
      const put = async (content: string, digest: ContentDigest = digestOfBytes(content), tags: string[] = []) =>
        test.store.putManifest(place, actor, {
          content: Buffer.from(content),
          mediaType: 'application/json',
          digest,
          tags,
        });
      const config = await test.blob('library/app', '{}', 'application/x');
      const manifest = JSON.stringify({ schemaVersion: 2, config, layers: [] });
      await expect(put(manifest, NOWHERE)).rejects.toMatchObject({ code: 'MANIFEST_DIGEST_MISMATCH' });
      await expect(put(manifest, digestOfBytes(manifest), ['-v'])).rejects.toMatchObject({ code: 'TAG_NAME_INVALID' });
      await expect(put('{"schemaVersion":1}')).rejects.toMatchObject({ code: 'OCI_SCHEMA1' });
      await expect(put('[]')).rejects.toMatchObject({ code: 'OCI_MALFORMED' });
      const stored = await put(manifest, contentDigestOf('sha512', manifest), ['big']);
      expect(stored.artifact.digest).toMatch(/^sha512:/);
    });

    it('keeps all of many pushes to one repository at the same moment, the last one to a tag winning', async () => {
      await using test = await StoreUnderTest.open(open);
      const layer = await test.blob('library/busy', nonce(), MEDIA_TYPES.ociLayer);
      const pushed = await Promise.all(
        Array.from({ length: 20 }, async (_, index) =>
          test.image('library/busy', [`v${index}`, 'latest'], {}, [layer]),
        ),
      );
      const latest = await test.store.resolve('library/busy', 'latest');
      expect(pushed.map(({ artifact }) => artifact.digest)).toContain(latest?.digest);
      expect(await test.store.listTags('library/busy', { limit: 100 })).toHaveLength(21);
      const sizes = pushed.map(({ artifact }) => artifact.sizeBytes - layer.size);
      const expected = layer.size + sizes.reduce((sum, size) => sum + size, 0);
      expect(await test.store.usageOf(1)).toBe(expected);
    });

    it('lets one of many pushes fail without a trace, and the others through', async () => {
      await using test = await StoreUnderTest.open(open);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 12 }, async (_, index) => {
          const missing = { mediaType: MEDIA_TYPES.ociLayer, digest: NOWHERE, size: 1 };
          return test.image('library/busy', [`v${index}`], {}, index % 3 === 0 ? [missing] : undefined);
        }),
      );
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(4);
      expect(await test.store.listTags('library/busy', { limit: 100 })).toHaveLength(8);
      expect((await test.events()).filter(({ type }) => type === 'artifact.pushed')).toHaveLength(8);
    });

    it('asks the gates first, and changes nothing when one refuses', async () => {
      const asked: object[] = [];
      const refuse = new VicError({ class: 'FailedPrecondition', code: 'POLICY_TEST', message: 'no' });
      await using test = await StoreUnderTest.open(open, {
        gates: [
          {
            name: 'test',
            beforePush: async (subject) => {
              asked.push(subject);
              if (subject.tags.includes('refused')) throw refuse;
            },
          },
        ],
      });
      const { artifact } = await test.image('library/app', ['allowed']);
      expect(asked).toMatchObject([{ digest: artifact.digest, tags: ['allowed'], repository: 'library/app', actor }]);
      await expect(test.image('library/app', ['refused'])).rejects.toBe(refuse);
      expect(await test.store.listTags('library/app', { limit: 10 })).toEqual(['allowed']);
    });
  });

  describe('artifact kinds', () => {
    it.each([
      ['CHART', 'application/vnd.cncf.helm.config.v1+json', {}],
      ['WASM', 'application/vnd.wasm.config.v0+json', {}],
      ['CNAI', 'application/vnd.cncf.model.config.v1+json', {}],
      ['THING', 'application/vnd.acme.thing.config.v1+json', {}],
      ['SBOM', 'application/vnd.oci.empty.v1+json', { artifactType: 'application/spdx+json' }],
      ['SIGNATURE', 'application/vnd.oci.empty.v1+json', { artifactType: 'application/vnd.cncf.notary.signature' }],
      ['UNKNOWN', 'application/vnd.oci.empty.v1+json', { artifactType: 'text/x-strange' }],
    ])('knows a %s by its types', async (type, configType, extra) => {
      await using test = await StoreUnderTest.open(open);
      const config = await test.blob('library/kinds', JSON.stringify({ name: 'redis' }), configType);
      const { artifact } = await test.push('library/kinds', [], { config, layers: [], ...extra });
      expect(artifact.type).toBe(type);
      expect(artifact.extraAttributes).toEqual({ name: 'redis' });
    });

    it('finds what belongs to an artifact by its subject, or by the tag cosign gives it', async () => {
      await using test = await StoreUnderTest.open(open);
      const image = await test.image('library/app', ['v1']);
      const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: image.artifact.digest, size: 1 };
      const notation = await test.image('library/app', [], {
        subject,
        artifactType: 'application/vnd.cncf.notary.signature',
        annotations: { by: 'ada' },
      });
      const cosign = await test.image('library/app', [`${image.artifact.digest.replace(':', '-')}.sig`]);
      expect(notation.artifact).toMatchObject({ subject: image.artifact.digest, accessoryType: 'signature.notation' });
      expect(cosign.artifact).toMatchObject({ subject: image.artifact.digest, accessoryType: 'signature.cosign' });
      const referrers = await test.store.listReferrers('library/app', image.artifact.digest);
      expect(referrers).toMatchObject([
        {
          digest: notation.artifact.digest,
          artifactType: 'application/vnd.cncf.notary.signature',
          annotations: { by: 'ada' },
        },
      ]);
      expect(await test.store.listReferrers('library/app', image.artifact.digest, 'text/none')).toEqual([]);
    });

    it('understands the list of referrers that old clients keep under a tag', async () => {
      await using test = await StoreUnderTest.open(open);
      const subject = await test.image('library/app', ['v1']);
      const old = await test.image('library/app');
      await test.push('library/app', [subject.artifact.digest.replace(':', '-')], {
        mediaType: MEDIA_TYPES.ociIndex,
        manifests: [
          { mediaType: MEDIA_TYPES.ociManifest, digest: old.artifact.digest, size: 5, artifactType: 'text/old' },
        ],
      });
      expect(await test.store.listReferrers('library/app', subject.artifact.digest)).toMatchObject([
        { digest: old.artifact.digest, artifactType: 'text/old', sizeBytes: 5 },
      ]);
    });
  });

  describe('pullManifest()', () => {
    it('counts pulls by GET, not by HEAD, and tells of them', async () => {
      await using test = await StoreUnderTest.open(open);
      const { artifact } = await test.image('library/app', ['v1']);
      const place = placeOf('library/app');
      test.clock.nowMs += 5000;
      await test.store.pullManifest(place, actor, { reference: 'v1', counted: false });
      await test.store.pullManifest(place, actor, { reference: 'v1', counted: true });
      await test.store.pullManifest(place, actor, { reference: artifact.digest, counted: true });
      expect(await test.store.pullManifest(place, actor, { reference: 'v2', counted: true })).toBeUndefined();
      await test.store.fold();
      expect(await test.store.findRepository('library/app')).toMatchObject({ pullCount: 2 });
      expect(await test.store.resolve('library/app', 'v1')).toMatchObject({ pulledAtMs: test.clock.nowMs });
      expect(await test.store.tagsOf(artifact.id)).toMatchObject([{ pulledAtMs: test.clock.nowMs }]);
      const pulled = (await test.events()).filter(({ type }) => type === 'artifact.pulled');
      expect(pulled).toMatchObject([{ tags: ['v1'] }, { tags: [] }]);
    });

    it('asks the gates', async () => {
      const refuse = new VicError({ class: 'FailedPrecondition', code: 'POLICY_TEST', message: 'no' });
      const beforePull = async (): Promise<never> => Promise.reject(refuse);
      await using test = await StoreUnderTest.open(open, { gates: [{ name: 'test', beforePull }] });
      await test.image('library/app', ['v1']);
      const pull = test.store.pullManifest(placeOf('library/app'), actor, { reference: 'v1', counted: true });
      await expect(pull).rejects.toBe(refuse);
      expect(await test.store.getManifest('library/app', 'v1')).toBeDefined();
    });
  });

  describe('tags', () => {
    it('lists names page by page', async () => {
      await using test = await StoreUnderTest.open(open);
      await test.image('library/app', ['c', 'a', 'b', 'B']);
      expect(await test.store.listTags('library/app', { limit: 2 })).toEqual(['B', 'a']);
      expect(await test.store.listTags('library/app', { limit: 9, after: 'a' })).toEqual(['b', 'c']);
      expect(await test.store.listTags('library/none', { limit: 9 })).toBeUndefined();
    });

    it('are created once, and deleted without their artifact', async () => {
      await using test = await StoreUnderTest.open(open);
      const { artifact } = await test.image('library/app', ['v1']);
      const place = placeOf('library/app');
      await test.store.createTag(place, actor, { name: 'v2', reference: 'v1' });
      const again = test.store.createTag(place, actor, { name: 'v2', reference: artifact.digest });
      await expect(again).rejects.toMatchObject({ class: 'AlreadyExists' });
      await test.store.deleteTag(place, actor, 'v1');
      await expect(test.store.deleteTag(place, actor, 'v1')).rejects.toMatchObject({ class: 'NotFound' });
      expect(await test.store.tagsOf(artifact.id)).toMatchObject([{ name: 'v2' }]);
      expect((await test.events()).map(({ type }) => type)).toEqual([
        'artifact.pushed',
        'tag.created',
        'tag.created',
        'tag.deleted',
      ]);
    });
  });
};
