import { appendEvent } from '@vic/events';
import { originOf } from './artifact-event.ts';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import type { Executor } from '@vic/sql';
import { artifactOf, findRepository, tagNamesOf } from './artifact-rows.ts';
import type { Artifact, Repository } from './artifact.ts';
import { dropUnlinked, removeArtifacts } from './remove-artifacts.ts';
import { noSuchRepository } from './not-found.ts';
import type { StoreContext } from './store-context.ts';

/** Artifacts removed in one transaction, so that pushes elsewhere need not wait for the whole repository. */
const ARTIFACTS_PER_TRANSACTION = 100;
const BLOBS_PER_TRANSACTION = 500;

/** Deletes a repository with everything in it, when the gates let each artifact go. */
export async function deleteRepository(context: StoreContext, place: RepositoryPlace, actor: Actor): Promise<void> {
  const repository = await findRepository(context.database.db, place.repository);
  if (repository === undefined) throw noSuchRepository(place.repository);
  await askGates(context, place, actor, repository);
  let isGone = false;
  while (!isGone) {
    isGone = await context.database.transaction(async (tx) => {
      const rows = await tx
        .selectFrom('artifacts')
        .selectAll()
        .where('repository_id', '=', repository.id)
        .orderBy('id')
        .limit(ARTIFACTS_PER_TRANSACTION)
        .execute();
      await removeArtifacts(tx, place, actor, rows.map(artifactOf));
      if (rows.length === ARTIFACTS_PER_TRANSACTION) return false;
      const links = await tx
        .selectFrom('repository_blobs')
        .select('digest')
        .where('repository_id', '=', repository.id)
        .limit(BLOBS_PER_TRANSACTION)
        .execute();
      const digests = links.map(({ digest }) => digest);
      if (digests.length > 0) {
        await tx
          .deleteFrom('repository_blobs')
          .where('repository_id', '=', repository.id)
          .where('digest', 'in', digests)
          .execute();
        await dropUnlinked(tx, repository.projectId, digests);
      }
      if (digests.length === BLOBS_PER_TRANSACTION) return false;
      await tx.deleteFrom('repositories').where('id', '=', repository.id).execute();
      await appendEvent(tx, {
        type: 'repository.deleted',
        ...originOf(place, actor),
        repository: place.repository,
      });
      return true;
    });
  }
}

/** Deletes the repositories of a project that never got a manifest, with their blobs' links. */
export async function deleteUnlisted(tx: Executor, projectId: number): Promise<void> {
  const unlisted = tx
    .selectFrom('repositories')
    .select('id')
    .where('project_id', '=', projectId)
    .where('listed', '=', 0);
  for (;;) {
    const links = await tx
      .selectFrom('repository_blobs')
      .select(['repository_id', 'digest'])
      .where('repository_id', 'in', unlisted)
      .orderBy('repository_id')
      .limit(BLOBS_PER_TRANSACTION)
      .execute();
    if (links.length === 0) break;
    for (const [repositoryId, some] of Map.groupBy(links, (link) => link.repository_id)) {
      const digests = some.map(({ digest }) => digest);
      await tx
        .deleteFrom('repository_blobs')
        .where('repository_id', '=', repositoryId)
        .where('digest', 'in', digests)
        .execute();
      await dropUnlinked(tx, projectId, digests);
    }
  }
  await tx.deleteFrom('repositories').where('project_id', '=', projectId).where('listed', '=', 0).execute();
}

async function askGates(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  repository: Repository,
): Promise<void> {
  const gates = context.gates.filter((gate) => gate.beforeArtifactDelete !== undefined);
  if (gates.length === 0) return;
  const { db } = context.database;
  let page: readonly Artifact[];
  let afterId = 0;
  do {
    const rows = await db
      .selectFrom('artifacts')
      .selectAll()
      .where('repository_id', '=', repository.id)
      .where('id', '>', afterId)
      .orderBy('id')
      .limit(ARTIFACTS_PER_TRANSACTION)
      .execute();
    page = rows.map(artifactOf);
    for (const artifact of page) {
      const tags = await tagNamesOf(db, artifact.id);
      for (const gate of gates) await gate.beforeArtifactDelete?.({ ...place, actor, artifact, tags });
      afterId = artifact.id;
    }
  } while (page.length === ARTIFACTS_PER_TRANSACTION);
}
