import { VicError } from '@vic/errors';
import { appendEvent } from '@vic/events';
import { MEDIA_TYPES } from '@vic/oci';
import type { Executor } from '@vic/sql';
import { eventOf } from './artifact-event.ts';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import { artifactOf } from './artifact-rows.ts';
import type { Artifact } from './artifact.ts';
import { dropContent } from './content-usage.ts';
import { referrersTag } from './referrers.ts';

/** An accessory of an accessory of … has to end somewhere. */
const MAX_ACCESSORY_DEPTH = 10;

/** Statements take a bounded number of parameters. */
const PER_QUERY = 500;

/** Removes artifacts of one repository, what only they used, and says so in events. */
export async function removeArtifacts(
  tx: Executor,
  place: RepositoryPlace,
  actor: Actor,
  doomed: readonly Artifact[],
): Promise<void> {
  for (let at = 0; at < doomed.length; at += PER_QUERY) {
    await removeSome(tx, place, actor, doomed.slice(at, at + PER_QUERY));
  }
}

async function removeSome(
  tx: Executor,
  place: RepositoryPlace,
  actor: Actor,
  doomed: readonly Artifact[],
): Promise<void> {
  const [first] = doomed;
  if (first === undefined) return;
  const tags = await tagsOf(
    tx,
    doomed.map(({ id }) => id),
  );
  for (const artifact of doomed) {
    const subject = eventOf(place, actor, artifact, tags.get(artifact.id) ?? []);
    await appendEvent(tx, { type: 'artifact.deleted', ...subject });
  }
  const ids = doomed.map(({ id }) => id);
  const used = await tx
    .selectFrom('artifact_blobs')
    .select('digest')
    .distinct()
    .where('artifact_id', 'in', ids)
    .execute();
  await tx.deleteFrom('artifacts').where('id', 'in', ids).execute();
  await unlinkUnused(
    tx,
    first,
    used.map(({ digest }) => digest),
  );
  await dropUnheld(
    tx,
    { table: 'artifacts', projectId: first.projectId },
    doomed.map(({ digest }) => digest),
  );
}

/** The artifacts that belong to it, and those that belong to them. */
export async function accessoriesOf(db: Executor, artifact: Artifact): Promise<readonly Artifact[]> {
  const found = new Map<number, Artifact>();
  let level: readonly Artifact[] = [artifact];
  for (let depth = 0; depth < MAX_ACCESSORY_DEPTH && level.length > 0; depth += 1) {
    const rows = await db
      .selectFrom('artifacts')
      .selectAll()
      .where('repository_id', '=', artifact.repositoryId)
      .where(
        'subject_digest',
        'in',
        level.map(({ digest }) => digest),
      )
      .execute();
    level = rows.map(artifactOf).filter(({ id }) => id !== artifact.id && !found.has(id));
    for (const accessory of level) found.set(accessory.id, accessory);
  }
  return [...found.values()];
}

/** Everything that goes with the artifact; refused while an index lists it that is not among `goingToo`. */
export async function doomedWith(
  tx: Executor,
  artifact: Artifact,
  goingToo: ReadonlySet<number>,
): Promise<readonly Artifact[]> {
  const belonging = [artifact, ...(await accessoriesOf(tx, artifact))];
  const doomed = [...belonging, ...(await referrerLists(tx, belonging))];
  await refuseReferenced(tx, artifact, new Set([...doomed.map(({ id }) => id), ...goingToo]));
  return doomed;
}

async function refuseReferenced(tx: Executor, artifact: Artifact, doomed: ReadonlySet<number>): Promise<void> {
  const parents = await tx
    .selectFrom('artifact_references')
    .select('parent_id')
    .where('repository_id', '=', artifact.repositoryId)
    .where('child_digest', '=', artifact.digest)
    .execute();
  const others = parents.map(({ parent_id }) => parent_id).filter((id) => !doomed.has(id));
  if (others.length === 0) return;
  if (artifact.subject !== undefined && (await areReferrerLists(tx, artifact.repositoryId, artifact.subject, others))) {
    return;
  }
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'REFERENCE_ARTIFACT',
    message: 'the deleting artifact is referenced by others',
  });
}

/** Lists of referrers, kept by clients under a tag of the subject, are nothing without it. */
async function referrerLists(tx: Executor, subjects: readonly Artifact[]): Promise<readonly Artifact[]> {
  const known = new Set(subjects.map(({ id }) => id));
  const lists: Artifact[] = [];
  for (let at = 0; at < subjects.length; at += PER_QUERY) {
    const some = subjects.slice(at, at + PER_QUERY);
    const rows = await tx
      .selectFrom('tags')
      .innerJoin('artifacts', 'artifacts.id', 'tags.artifact_id')
      .selectAll('artifacts')
      .where('tags.repository_id', '=', some[0]?.repositoryId ?? 0)
      .where(
        'tags.name',
        'in',
        some.map(({ digest }) => referrersTag(digest)),
      )
      .where('artifacts.manifest_media_type', '=', MEDIA_TYPES.ociIndex)
      .execute();
    lists.push(...rows.map(artifactOf).filter(({ id }) => !known.has(id)));
  }
  return lists;
}

/** Whether all these indexes list nothing but what declares that subject: such a list holds nothing together. */
async function areReferrerLists(
  tx: Executor,
  repositoryId: number,
  subject: string,
  indexes: readonly number[],
): Promise<boolean> {
  const member = await tx
    .selectFrom('artifact_references')
    .innerJoin('artifacts', 'artifacts.digest', 'artifact_references.child_digest')
    .select('artifacts.id')
    .where('artifacts.repository_id', '=', repositoryId)
    .where('artifact_references.parent_id', 'in', [...indexes])
    .where((eb) =>
      eb.or([
        eb('artifacts.subject_digest', 'is', null),
        eb('artifacts.subject_digest', '!=', subject),
        eb('artifacts.subject_origin', '!=', 'declared'),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return member === undefined;
}

/** The names of the tags of some artifacts, in order. */
export async function tagsOf(tx: Executor, ids: readonly number[]): Promise<ReadonlyMap<number, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('tags')
    .select(['artifact_id', 'name'])
    .where('artifact_id', 'in', [...ids])
    .orderBy('name')
    .execute();
  const tags = new Map<number, string[]>();
  for (const row of rows) tags.set(row.artifact_id, [...(tags.get(row.artifact_id) ?? []), row.name]);
  return tags;
}

/** Project storage is freed at once; the blobs themselves are the collector's. */
async function unlinkUnused(
  tx: Executor,
  { repositoryId, projectId }: Artifact,
  digests: readonly string[],
): Promise<void> {
  for (let at = 0; at < digests.length; at += PER_QUERY) {
    const some = digests.slice(at, at + PER_QUERY);
    const stillUsed = await tx
      .selectFrom('artifact_blobs')
      .select('digest')
      .distinct()
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .execute();
    const unused = without(some, stillUsed);
    if (unused.length === 0) continue;
    await tx
      .deleteFrom('repository_blobs')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', unused)
      .execute();
    await dropUnlinked(tx, projectId, unused);
  }
}

/** Takes blobs that were just unlinked from the project's storage, unless another of its repositories has them. */
export async function dropUnlinked(tx: Executor, projectId: number, digests: readonly string[]): Promise<void> {
  if (digests.length === 0) return;
  await dropUnheld(tx, { table: 'repository_blobs', projectId }, digests);
}

/** Takes content from a project's storage that no row of the table holds any more. */
async function dropUnheld(
  tx: Executor,
  { table, projectId }: { readonly table: 'artifacts' | 'repository_blobs'; readonly projectId: number },
  digests: readonly string[],
): Promise<void> {
  const held = await tx
    .selectFrom(table)
    .select('digest')
    .distinct()
    .where('project_id', '=', projectId)
    .where('digest', 'in', [...digests])
    .execute();
  await dropContent(tx, projectId, without(digests, held));
}

function without(digests: readonly string[], rows: readonly { readonly digest: string }[]): string[] {
  const taken = new Set(rows.map(({ digest }) => digest));
  return digests.filter((digest) => !taken.has(digest));
}
