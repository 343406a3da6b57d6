import { VicError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import type { Executor } from '@vic/sql';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import { ensureRepository } from './artifact-rows.ts';
import { claimBlob, unlink } from './blob-claims.ts';
import { addContent, contentOf } from './content-usage.ts';
import type { StoreContext } from './store-context.ts';

/** A blob that a repository may serve. */
export interface LinkedBlob {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
}

/** Where a blob may be mounted from. */
export interface MountSource {
  readonly digest: ContentDigest;
  /** Any repository that {@link mayPull} allows when absent. */
  readonly from: string | undefined;
  readonly mayPull: (repository: string) => Promise<boolean>;
}

/** A link that a client asked about within this time is not touched again: most requests write nothing. */
const TOUCH_INTERVAL_MS = 5 * 60_000;
/** Repositories looked at for a mount without a source; a popular blob is in many, and each costs a decision. */
const MAX_MOUNT_CANDIDATES = 50;

/** The blob, when the repository may serve it; `keep` protects it from the collector, for a push to follow. */
export async function findBlob(
  context: StoreContext,
  repository: string,
  wanted: { readonly digest: ContentDigest; readonly keep: boolean },
): Promise<LinkedBlob | undefined> {
  const row = await context.database.db
    .selectFrom('repositories')
    .innerJoin('repository_blobs as link', 'link.repository_id', 'repositories.id')
    .select(['link.repository_id', 'link.size_bytes', 'link.touched_at_ms'])
    .where('repositories.name', '=', repository)
    .where('link.digest', '=', wanted.digest)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const nowMs = context.nowMs();
  if (wanted.keep && nowMs - Number(row.touched_at_ms) > TOUCH_INTERVAL_MS) {
    const kept = await context.database.db
      .updateTable('repository_blobs')
      .set({ touched_at_ms: nowMs })
      .where('repository_id', '=', row.repository_id)
      .where('digest', '=', wanted.digest)
      .returning('digest')
      .execute();
    if (kept.length === 0) return undefined;
  }
  return { digest: wanted.digest, sizeBytes: Number(row.size_bytes) };
}

/** Asks the gates whether a blob may come into the project. */
export async function admitBlob(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  blob: { readonly digest: ContentDigest | undefined; readonly sizeBytes: number },
): Promise<void> {
  const gates = context.gates.filter((gate) => gate.beforeBlob !== undefined);
  if (gates.length === 0) return;
  const had =
    blob.digest === undefined
      ? new Set<string>()
      : await contentOf(context.database.db, place.project.id, [blob.digest]);
  const sizeBytesToAdd = had.size > 0 ? 0 : blob.sizeBytes;
  for (const gate of gates) await gate.beforeBlob?.({ ...place, actor, digest: blob.digest, sizeBytesToAdd });
}

/** Says that a blob, which the blob store has, belongs to the repository. */
export async function linkBlob(context: StoreContext, place: RepositoryPlace, blob: LinkedBlob): Promise<void> {
  const nowMs = context.nowMs();
  await context.commits.run(async (tx) => {
    const repositoryId = await ensureRepository(tx, {
      projectId: place.project.id,
      name: place.repository,
      nowMs,
      listed: false,
    });
    await link(tx, { repositoryId, projectId: place.project.id, nowMs }, blob);
  });
}

/** Links a blob that another repository has; `undefined` when there is none the caller may pull it from. */
export async function mountBlob(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  source: MountSource,
): Promise<LinkedBlob | undefined> {
  const candidates = await context.database.db
    .selectFrom('repository_blobs as link')
    .innerJoin('repositories', 'repositories.id', 'link.repository_id')
    .select(['repositories.name', 'link.size_bytes'])
    .where('link.digest', '=', source.digest)
    .$if(source.from !== undefined, (query) => query.where('repositories.name', '=', source.from ?? ''))
    .limit(MAX_MOUNT_CANDIDATES)
    .execute();
  for (const candidate of candidates) {
    if (candidate.name !== place.repository && !(await source.mayPull(candidate.name))) continue;
    const blob = { digest: source.digest, sizeBytes: Number(candidate.size_bytes) };
    await admitBlob(context, place, actor, blob);
    await linkBlob(context, place, blob);
    return blob;
  }
  return undefined;
}

/** Takes a blob that no manifest needs from a repository; gives whether it was there. */
export async function unlinkBlob(context: StoreContext, repository: string, digest: ContentDigest): Promise<boolean> {
  return context.database.transaction(async (tx) => {
    const row = await tx
      .selectFrom('repositories')
      .innerJoin('repository_blobs as link', 'link.repository_id', 'repositories.id')
      .select(['link.repository_id', 'link.project_id', 'link.digest'])
      .where('repositories.name', '=', repository)
      .where('link.digest', '=', digest)
      .executeTakeFirst();
    if (row === undefined) return false;
    await refuseReferenced(tx, row);
    await unlink(tx, row);
    return true;
  });
}

async function refuseReferenced(
  tx: Executor,
  link: { readonly repository_id: number; readonly digest: string },
): Promise<void> {
  const user = await tx
    .selectFrom('artifact_blobs')
    .select('artifact_id')
    .where('repository_id', '=', link.repository_id)
    .where('digest', '=', link.digest)
    .limit(1)
    .executeTakeFirst();
  if (user === undefined) return;
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'REFERENCE_BLOB',
    message: 'the blob is referenced by a manifest of the repository',
    remedy: 'Delete the manifest; the blob goes with it.',
  });
}

async function link(
  tx: Executor,
  where: { readonly repositoryId: number; readonly projectId: number; readonly nowMs: number },
  blob: LinkedBlob,
): Promise<void> {
  await claimBlob(tx, { ...blob, nowMs: where.nowMs });
  await tx
    .insertInto('repository_blobs')
    .values({
      repository_id: where.repositoryId,
      project_id: where.projectId,
      digest: blob.digest,
      size_bytes: blob.sizeBytes,
      media_type: null,
      touched_at_ms: where.nowMs,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet({ touched_at_ms: where.nowMs }))
    .execute();
  await addContent(tx, where.projectId, blob);
}
