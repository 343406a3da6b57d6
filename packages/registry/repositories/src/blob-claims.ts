import { VicError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import type { Executor } from '@vic/sql';
import { dropContent } from './content-usage.ts';

/*
 * A blob's row is where those who want to keep it and the collector meet. Both write that row, so that one of them
 * comes first in every interleaving, on every database:
 *
 * - whoever links a blob claims it in the transaction of the link: the claim fails when the blob is condemned;
 * - the collector condemns a blob only when no repository links it and its last claim is old; only then it removes
 *   the content, and afterwards the row.
 *
 * A condemned blob is missing to everybody. Who pushes it again waits for its row to go, then stores it anew.
 */

/** A blob and its size. */
export interface CondemnedBlob {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
  readonly condemnedAtMs: number;
}

/** Whether a blob can be kept: `condemned` when the collector was first. */
export type BlobState = 'live' | 'condemned' | 'unknown';

/** Keeps a blob from the collector, in the transaction that links it. Throws `NotFound` when it is condemned. */
export async function claimBlob(
  tx: Executor,
  blob: { readonly digest: ContentDigest; readonly sizeBytes: number; readonly nowMs: number },
): Promise<void> {
  const claimed = await tx
    .insertInto('blobs')
    .values({
      digest: blob.digest,
      size_bytes: blob.sizeBytes,
      state: 'live',
      claimed_at_ms: blob.nowMs,
      condemned_at_ms: null,
    })
    .onConflict((conflict) =>
      conflict.column('digest').doUpdateSet({ claimed_at_ms: blob.nowMs }).where('blobs.state', '=', 'live'),
    )
    .returning('digest')
    .execute();
  if (claimed.length === 0) throw condemned(blob.digest);
}

/** What is known of a blob at this moment; only {@link claimBlob} makes it last. */
export async function blobState(db: Executor, digest: ContentDigest): Promise<BlobState> {
  const row = await db.selectFrom('blobs').select('state').where('digest', '=', digest).executeTakeFirst();
  return row?.state ?? 'unknown';
}

/**
 * Condemns blobs that no repository links and that were last claimed before `unclaimedSinceMs`; at most `limit`.
 *
 * The caller then removes each from the store, and its row with {@link forgetBlob}; after a crash it goes on with
 * {@link condemnedBlobs}.
 */
export async function condemnBlobs(
  tx: Executor,
  options: { readonly unclaimedSinceMs: number; readonly nowMs: number; readonly limit: number },
): Promise<readonly CondemnedBlob[]> {
  const candidates = await unusedBlobs(tx, { ...options, after: '' });
  if (candidates.length === 0) return [];
  const rows = await tx
    .updateTable('blobs')
    .set({ state: 'condemned', condemned_at_ms: options.nowMs })
    .where(
      'digest',
      'in',
      candidates.map(({ digest }) => digest),
    )
    .where('state', '=', 'live')
    .where('claimed_at_ms', '<', options.unclaimedSinceMs)
    .returning(['digest', 'size_bytes'])
    .execute();
  return rows.map((row) => ({
    digest: row.digest as ContentDigest,
    sizeBytes: Number(row.size_bytes),
    condemnedAtMs: options.nowMs,
  }));
}

/** What {@link condemnBlobs} would condemn, page by page: for a dry run. */
export async function unusedBlobs(
  db: Executor,
  options: { readonly unclaimedSinceMs: number; readonly limit: number; readonly after: string },
): Promise<readonly { readonly digest: ContentDigest; readonly sizeBytes: number }[]> {
  const rows = await db
    .selectFrom('blobs')
    .select(['digest', 'size_bytes'])
    .where('state', '=', 'live')
    .where('claimed_at_ms', '<', options.unclaimedSinceMs)
    .where('digest', '>', options.after)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('repository_blobs')
            .select('repository_blobs.digest')
            .whereRef('repository_blobs.digest', '=', 'blobs.digest'),
        ),
      ),
    )
    .orderBy('digest')
    .limit(options.limit)
    .execute();
  return rows.map((row) => ({ digest: row.digest as ContentDigest, sizeBytes: Number(row.size_bytes) }));
}

/** Blobs condemned and not yet forgotten, for the collector to finish with. */
export async function condemnedBlobs(db: Executor, limit: number): Promise<readonly CondemnedBlob[]> {
  const rows = await db
    .selectFrom('blobs')
    .select(['digest', 'size_bytes', 'condemned_at_ms'])
    .where('state', '=', 'condemned')
    .orderBy('digest')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    digest: row.digest as ContentDigest,
    sizeBytes: Number(row.size_bytes),
    condemnedAtMs: Number(row.condemned_at_ms ?? 0),
  }));
}

/** Removes the row of a condemned blob whose content the store no longer has. */
export async function forgetBlob(db: Executor, digest: ContentDigest): Promise<void> {
  await db.deleteFrom('blobs').where('digest', '=', digest).where('state', '=', 'condemned').execute();
}

/**
 * Notes a blob that the store has but no row tells of (its upload was committed, then the process died), so that
 * {@link condemnBlobs} sees it once it is old. Gives whether it was unknown.
 */
export async function adoptBlob(
  db: Executor,
  blob: { readonly digest: ContentDigest; readonly sizeBytes: number; readonly modifiedAtMs: number },
): Promise<boolean> {
  const added = await db
    .insertInto('blobs')
    .values({
      digest: blob.digest,
      size_bytes: blob.sizeBytes,
      state: 'live',
      claimed_at_ms: blob.modifiedAtMs,
      condemned_at_ms: null,
    })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .returning('digest')
    .execute();
  return added.length > 0;
}

/**
 * Unlinks blobs that no manifest of their repository needs and that no client was told of since
 * `untouchedSinceMs`: uploads whose manifest never came, and layers of deleted artifacts. Gives how many.
 */
export async function expireLinks(
  tx: Executor,
  options: { readonly untouchedSinceMs: number; readonly limit: number },
): Promise<number> {
  const rows = await tx
    .selectFrom('repository_blobs as link')
    .select(['link.repository_id', 'link.project_id', 'link.digest'])
    .where('link.touched_at_ms', '<', options.untouchedSinceMs)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('artifact_blobs as used')
            .select('used.digest')
            .whereRef('used.repository_id', '=', 'link.repository_id')
            .whereRef('used.digest', '=', 'link.digest'),
        ),
      ),
    )
    .limit(options.limit)
    .execute();
  for (const row of rows) await unlink(tx, row);
  return rows.length;
}

/** Takes a blob from a repository, and from the project's storage when no other repository of it has the blob. */
export async function unlink(
  tx: Executor,
  link: { readonly repository_id: number; readonly project_id: number; readonly digest: string },
): Promise<void> {
  await tx
    .deleteFrom('repository_blobs')
    .where('repository_id', '=', link.repository_id)
    .where('digest', '=', link.digest)
    .execute();
  const other = await tx
    .selectFrom('repository_blobs')
    .select('repository_id')
    .where('digest', '=', link.digest)
    .where('project_id', '=', link.project_id)
    .limit(1)
    .executeTakeFirst();
  if (other === undefined) await dropContent(tx, link.project_id, [link.digest]);
}

/** Removes manifests that no repository has and that nobody pushed since `unclaimedSinceMs`. Gives how many. */
export async function removeUnusedManifests(
  tx: Executor,
  options: { readonly unclaimedSinceMs: number; readonly limit: number },
): Promise<{ readonly count: number; readonly sizeBytes: number }> {
  const rows = await tx
    .deleteFrom('manifests')
    .where('digest', 'in', (eb) =>
      eb
        .selectFrom('manifests as old')
        .select('old.digest')
        .where('old.claimed_at_ms', '<', options.unclaimedSinceMs)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb.selectFrom('artifacts').select('artifacts.id').whereRef('artifacts.digest', '=', 'old.digest'),
            ),
          ),
        )
        .limit(options.limit),
    )
    .returning('size_bytes')
    .execute();
  return { count: rows.length, sizeBytes: rows.reduce((sum, row) => sum + Number(row.size_bytes), 0) };
}

function condemned(digest: ContentDigest): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'BLOB_CONDEMNED',
    message: `the asking blob is in GC, mark it as non existing: ${digest}`,
    remedy: 'Push it again.',
  });
}
