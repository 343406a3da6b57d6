import type { ProjectIdentity } from '@vic/authz';
import { VicError, isVicError } from '@vic/errors';
import { type ContentDigest, MEDIA_TYPES, digestOfBytes } from '@vic/oci';
import { type Database, isForeignKeyViolation } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import type { ArtifactGate } from '../artifact-gate.ts';
import { StoreUnderTest, type TestDescriptor, actor, nonce, placeOf } from './store-under-test.ts';

const ROUNDS = 15;

/** What is promised where projects and many artifacts go. */
export const deletionSuite: DialectSuite = (open) => {
  describe('a project that is deleted', () => {
    it('gets nothing from who still believes that it is there', async () => {
      await using test = await StoreUnderTest.open(open);
      const project = await makeProject(test.database, 10);
      await deleteProject(test, project);
      const place = { project, repository: `${project.name}/late` };
      await expect(test.store.createRepository(place)).rejects.toSatisfy(isProjectGone);
      await expect(pushBlob(test, project)).rejects.toSatisfy(isProjectGone);
      expect(await test.store.findRepository(place.repository)).toBeUndefined();
    });

    it('leaves no repository behind, however a first push races with it', async () => {
      await using test = await StoreUnderTest.open(open);
      for (let round = 0; round < ROUNDS; round++) {
        const project = await makeProject(test.database, 100 + round);
        const outcomes = await Promise.allSettled([
          pushBlob(test, project),
          deleteProject(test, project),
          test.store.createRepository({ project, repository: `${project.name}/other` }),
        ]);
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          expect(outcome.reason).toSatisfy((error) => isProjectGone(error) || isForeignKeyViolation(error));
        }
      }
      const orphans = await test.database.db
        .selectFrom('repositories')
        .leftJoin('projects', 'projects.id', 'repositories.project_id')
        .select('repositories.name')
        .where('projects.id', 'is', null)
        .execute();
      expect(orphans).toEqual([]);
    });
  });

  describe('deleteArtifacts()', () => {
    it('deletes many with few commits, each with its events and the storage it used', async () => {
      await using test = await StoreUnderTest.open(open);
      const layer = await test.blob('library/many', nonce(), MEDIA_TYPES.ociLayer);
      const judged = await pushMany(test, 120, layer);
      const kept = await test.image('library/many', ['kept'], {}, [layer]);
      let commits = 0;
      using _ = test.database.afterCommit(() => (commits += 1));
      const outcomes = await test.store.deleteArtifacts(placeOf('library/many'), actor, judged);
      expect(outcomes).toEqual(judged.map(({ digest }) => ({ digest, refusal: undefined })));
      expect(commits).toBeLessThan(5);
      const deleted = (await test.events()).filter(({ type }) => type === 'artifact.deleted');
      expect(deleted.map((event) => ('tags' in event ? event.tags : []))).toEqual(judged.map(({ tags }) => tags));
      const config = kept.artifact.sizeBytes;
      expect(await test.store.usageOf(1)).toBe(config);
    });

    it('leaves what a gate or an index keeps, and says why; the others go', async () => {
      const gate: ArtifactGate = {
        name: 'test',
        beforeArtifactDelete: async ({ tags }) => {
          if (tags.includes('t1')) throw new VicError({ class: 'FailedPrecondition', code: 'TEST', message: 'stays' });
        },
      };
      await using test = await StoreUnderTest.open(open, { gates: [gate] });
      const layer = await test.blob('library/many', nonce(), MEDIA_TYPES.ociLayer);
      const judged = await pushMany(test, 4, layer);
      const [first, , third] = judged;
      const index = await test.index('library/many', ['index'], [{ digest: first?.digest as ContentDigest, size: 1 }]);
      const gone = { digest: digestOfBytes('never'), tags: [] };
      const outcomes = await test.store.deleteArtifacts(placeOf('library/many'), actor, [...judged, gone]);
      const codes = outcomes.map(({ refusal }) => refusal?.code);
      expect(codes).toEqual(['REFERENCE_ARTIFACT', 'TEST', undefined, undefined, 'ARTIFACT_UNKNOWN']);
      expect(await test.store.resolve('library/many', third?.digest ?? '')).toBeUndefined();
      const withIndex = [{ digest: index.artifact.digest, tags: ['index'] }, ...judged.slice(0, 1)];
      const later = await test.store.deleteArtifacts(placeOf('library/many'), actor, withIndex);
      expect(later.map(({ refusal }) => refusal)).toEqual([undefined, undefined]);
    });

    it('ends at a failure, after which it can be done again', async () => {
      let isAway = true;
      const gate: ArtifactGate = {
        name: 'test',
        beforeArtifactDelete: async ({ tags }) => {
          if (isAway && tags.includes('t110')) throw new VicError({ class: 'Unavailable', code: 'TEST', message: '' });
        },
      };
      await using test = await StoreUnderTest.open(open, { gates: [gate] });
      const judged = await pushMany(test, 120, await test.blob('library/many', nonce(), MEDIA_TYPES.ociLayer));
      const place = placeOf('library/many');
      await expect(test.store.deleteArtifacts(place, actor, judged)).rejects.toSatisfy(isUnavailable);
      const { id } = (await test.store.findRepository('library/many')) ?? { id: 0 };
      expect(await test.store.listArtifacts(id, { limit: 999 })).toHaveLength(20);
      isAway = false;
      const outcomes = await test.store.deleteArtifacts(place, actor, judged);
      expect(outcomes.filter(({ refusal }) => refusal === undefined)).toHaveLength(20);
      expect((await test.events()).filter(({ type }) => type === 'artifact.deleted')).toHaveLength(120);
    });

    it('lets an artifact stay that was tagged after it was judged', async () => {
      await using test = await StoreUnderTest.open(open);
      const { artifact } = await test.image('library/app');
      await test.store.createTag(placeOf('library/app'), actor, { name: 'release', reference: artifact.digest });
      const judged = [{ digest: artifact.digest, tags: [] }];
      const [outcome] = await test.store.deleteArtifacts(placeOf('library/app'), actor, judged);
      expect(outcome?.refusal?.code).toBe('ARTIFACT_RETAGGED');
      expect(await test.store.resolve('library/app', 'release')).toBeDefined();
    });
  });

  it('deleteArtifact() asks the gates again about a tag that came while they were asked', async () => {
    let onAsked = async (): Promise<void> => undefined;
    const gate: ArtifactGate = {
      name: 'test',
      beforeArtifactDelete: async ({ tags }) => {
        if (tags.includes('release')) throw new VicError({ class: 'FailedPrecondition', code: 'TEST', message: '' });
        await onAsked();
      },
    };
    await using test = await StoreUnderTest.open(open, { gates: [gate] });
    const { artifact } = await test.image('library/app', ['latest']);
    onAsked = async () => {
      await test.store.createTag(placeOf('library/app'), actor, { name: 'release', reference: artifact.digest });
    };
    const deleting = test.store.deleteArtifact(placeOf('library/app'), actor, artifact.digest);
    await expect(deleting).rejects.toSatisfy((error) => isVicError(error, { code: 'TEST' }));
    expect(await test.store.resolve('library/app', 'release')).toBeDefined();
  });
};

async function pushMany(
  test: StoreUnderTest,
  count: number,
  layer: TestDescriptor,
): Promise<readonly { readonly digest: string; readonly tags: readonly string[] }[]> {
  const judged = [];
  for (let number = 0; number < count; number++) {
    const { artifact } = await test.image('library/many', [`t${number}`], {}, [layer]);
    judged.push({ digest: artifact.digest, tags: [`t${number}`] });
  }
  return judged;
}

function isUnavailable(error: unknown): boolean {
  return isVicError(error, { class: 'Unavailable' });
}

async function pushBlob(test: StoreUnderTest, project: ProjectIdentity): Promise<void> {
  const { digest, size } = { ...(await test.blob('library/source', nonce(), MEDIA_TYPES.ociLayer)) };
  await test.store.linkBlob({ project, repository: `${project.name}/late` }, { digest, sizeBytes: size });
}

async function makeProject({ db }: Database, id: number): Promise<ProjectIdentity> {
  const name = `project-${id}`;
  const rest = { owner_id: 1, registry_id: null, public: 0, metadata: '{}', created_at_ms: 0, updated_at_ms: 0 };
  await db
    .insertInto('projects')
    .values({ id, name, ...rest })
    .execute();
  return { id, name, public: false };
}

/** As projects are deleted: only when nothing is listed in them. */
async function deleteProject({ database, store }: StoreUnderTest, { id }: ProjectIdentity): Promise<void> {
  await database.transaction(async (tx) => {
    const listed = await tx
      .selectFrom('repositories')
      .select('id')
      .where('project_id', '=', id)
      .where('listed', '=', 1)
      .executeTakeFirst();
    if (listed !== undefined) return;
    await store.projectDeleted(tx, id);
    await tx.deleteFrom('projects').where('id', '=', id).execute();
  });
}

function isProjectGone(error: unknown): boolean {
  return isVicError(error, { code: 'PROJECT_UNKNOWN' });
}
