import { VicError } from '@vic/errors';
import { appendEvent } from '@vic/events';
import { isTagName } from '@vic/oci';
import type { Executor } from '@vic/sql';
import { eventOf } from './artifact-event.ts';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import { resolveArtifact, tagOf } from './artifact-rows.ts';
import type { Tag } from './artifact.ts';
import type { KeysetPage } from './keyset-page.ts';
import { noSuchArtifact, noSuchTag } from './not-found.ts';
import type { StoreContext } from './store-context.ts';

/** What each of some tags points to, by name; those that are not there are missing. */
export type TagTargets = ReadonlyMap<string, number>;

/** Where tags point to now. */
export async function tagTargets(db: Executor, repository: string, names: readonly string[]): Promise<TagTargets> {
  if (names.length === 0) return new Map();
  const rows = await db
    .selectFrom('repositories')
    .innerJoin('tags', 'tags.repository_id', 'repositories.id')
    .select(['tags.name', 'tags.artifact_id'])
    .where('repositories.name', '=', repository)
    .where('tags.name', 'in', [...names])
    .execute();
  return new Map(rows.map((row) => [row.name, row.artifact_id]));
}

/**
 * Points a tag to an artifact, making it when needed; gives whether it pointed elsewhere before.
 *
 * Throws `TAG_MOVED` when the gates saw nothing to move, and now there is: they must be asked again. A tag that they
 * let go from one artifact they let go from another one, too.
 */
export async function moveTag(
  tx: Executor,
  tag: {
    readonly repositoryId: number;
    readonly artifactId: number;
    readonly name: string;
    readonly nowMs: number;
    readonly judged: TagTargets;
  },
): Promise<boolean> {
  const before = await tx
    .selectFrom('tags')
    .select('artifact_id')
    .where('repository_id', '=', tag.repositoryId)
    .where('name', '=', tag.name)
    .executeTakeFirst();
  const isMoved = before?.artifact_id !== tag.artifactId;
  const judged = tag.judged.get(tag.name) ?? tag.artifactId;
  if (isMoved && before !== undefined && judged === tag.artifactId) throw tagMoved(tag.name);
  await tx
    .insertInto('tags')
    .values({
      repository_id: tag.repositoryId,
      artifact_id: tag.artifactId,
      name: tag.name,
      pushed_at_ms: tag.nowMs,
      pulled_at_ms: null,
    })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'name']).doUpdateSet({ artifact_id: tag.artifactId, pushed_at_ms: tag.nowMs }),
    )
    .execute();
  return isMoved;
}

/** Gives an artifact one more tag; one that is taken is refused. */
export async function createTag(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  tag: { readonly name: string; readonly reference: string },
): Promise<Tag> {
  if (!isTagName(tag.name)) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'TAG_NAME_INVALID',
      message: `invalid tag name: ${JSON.stringify(tag.name.slice(0, 128))}`,
    });
  }
  const artifact = await resolveArtifact(context.database.db, place.repository, tag.reference);
  if (artifact === undefined) throw noSuchArtifact(place.repository, tag.reference);
  for (const gate of context.gates) {
    await gate.beforePush?.({
      ...place,
      actor,
      digest: artifact.digest,
      tags: [tag.name],
      mediaType: artifact.manifestMediaType,
      artifactType: artifact.artifactType,
      subject: artifact.subject,
      sizeBytesToAdd: 0,
    });
  }
  return context.database.transaction(async (tx) => {
    const added = await tx
      .insertInto('tags')
      .values({
        repository_id: artifact.repositoryId,
        artifact_id: artifact.id,
        name: tag.name,
        pushed_at_ms: context.nowMs(),
        pulled_at_ms: null,
      })
      .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doNothing())
      .returningAll()
      .executeTakeFirst();
    if (added === undefined) throw tagTaken(place.repository, tag.name);
    await appendEvent(tx, { type: 'tag.created', ...eventOf(place, actor, artifact, [tag.name]) });
    return tagOf(added);
  });
}

/** Removes a tag and nothing else. */
export async function deleteTag(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  name: string,
): Promise<void> {
  const artifact = await resolveArtifact(context.database.db, place.repository, name);
  if (artifact === undefined || name.includes(':')) throw noSuchTag(place.repository, name);
  for (const gate of context.gates) await gate.beforeTagDelete?.({ ...place, actor, artifact, tag: name });
  await context.database.transaction(async (tx) => {
    const removed = await tx
      .deleteFrom('tags')
      .where('repository_id', '=', artifact.repositoryId)
      .where('artifact_id', '=', artifact.id)
      .where('name', '=', name)
      .returning('id')
      .execute();
    if (removed.length === 0) throw noSuchTag(place.repository, name);
    await appendEvent(tx, { type: 'tag.deleted', ...eventOf(place, actor, artifact, [name]) });
  });
}

/** Names of tags, in order. */
export async function listTags(db: Executor, repositoryId: number, page: KeysetPage): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('name', '>', page.after ?? '')
    .orderBy('name')
    .limit(page.limit)
    .execute();
  return rows.map((row) => row.name);
}

function tagMoved(name: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'TAG_MOVED',
    message: `the tag ${name} was moved by others while it was pushed`,
    remedy: 'Try again.',
  });
}

function tagTaken(repository: string, name: string): VicError {
  return new VicError({
    class: 'AlreadyExists',
    code: 'TAG_EXISTS',
    message: `tag ${name} already exists in ${repository}`,
  });
}
