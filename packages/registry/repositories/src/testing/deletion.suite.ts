import type { ProjectIdentity } from '@vic/authz';
import { isVicError } from '@vic/errors';
import { MEDIA_TYPES } from '@vic/oci';
import { type Database, isForeignKeyViolation } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { describe, expect, it } from 'vitest';
import { StoreUnderTest, nonce } from './store-under-test.ts';

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
};

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
