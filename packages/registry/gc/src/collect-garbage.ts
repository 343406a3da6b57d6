import type { RobotPrincipal } from '@vic/authz';
import { type ContentDigest, isContentDigest } from '@vic/oci';
import { mapLimit } from '@vic/async';
import { VicError, describeError, isVicError } from '@vic/errors';
import {
  type CondemnedBlob,
  type RepositoryPlace,
  adoptBlob,
  condemnBlobs,
  condemnedBlobs,
  expireLinks,
  forgetBlob,
  removeUnusedManifests,
} from '@vic/repositories';
import { type Garbage, noGarbage } from './garbage.ts';
import type { GcParameters } from './gc-parameters.ts';
import type { GcDeps, GcRun } from './gc-work.ts';
import { unknownBlobs } from './unknown-blobs.ts';
import { type UntaggedArtifact, findUntagged } from './untagged-artifacts.ts';

/** Who deletes, in events and records. */
const COLLECTOR: RobotPrincipal = { kind: 'robot', id: 0, name: 'garbage-collection', grants: [] };
/** Small, so that no transaction keeps others waiting. */
const BATCH = 200;
const HOUR_MS = 60 * 60 * 1000;
/** An upload to which nothing was added for so long has been given up, however short the time window. */
const MIN_UPLOAD_AGE_MS = HOUR_MS;
/** A line of the log for each would be most of the work. */
const LOGGED_REMOVALS = 200;

/**
 * Removes what nothing needs, beside pushes and pulls.
 *
 * Each step may be cut off at any point, and is finished by the next run: blobs are condemned in the database, then
 * removed from the store, then forgotten; see `blob-claims` of `@vic/repositories` for why no push loses one.
 */
export async function collectGarbage(deps: GcDeps, parameters: GcParameters, run: GcRun): Promise<Garbage> {
  const nowMs = (deps.nowMs ?? Date.now)();
  const beforeMs = nowMs - parameters.timeWindowHours * HOUR_MS;
  const garbage = noGarbage();
  const work: Work = { deps, run, garbage, beforeMs, workers: parameters.workers };
  await finishCondemned(work);
  run.progress(5, 'finished what an earlier run left');
  if (parameters.deleteUntagged) await deleteUntagged(work);
  run.progress(20, 'unlinking');
  await unlinkUnneeded(work);
  run.progress(30, 'looking for blobs that nothing knows of');
  await adoptUnknown(work);
  run.progress(50, 'removing blobs');
  await sweepBlobs(work);
  run.progress(80, 'removing manifests');
  await sweepManifests(work);
  run.progress(90, 'removing uploads');
  await sweepUploads(work, nowMs);
  return garbage;
}

interface Work {
  readonly deps: GcDeps;
  readonly run: GcRun;
  readonly garbage: Garbage;
  /** What is younger stays. */
  readonly beforeMs: number;
  readonly workers: number;
}

/** What an earlier run condemned and did not live to remove. */
async function finishCondemned(work: Work): Promise<void> {
  const { deps, run } = work;
  for (;;) {
    run.signal.throwIfAborted();
    const batch = await condemnedBlobs(deps.database.db, BATCH);
    if (batch.length === 0) return;
    await removeBlobs(work, batch);
  }
}

async function deleteUntagged(work: Work): Promise<void> {
  const { deps, beforeMs } = work;
  const untagged = await findUntagged(deps.database.db, beforeMs);
  for (const artifacts of Map.groupBy(untagged, ({ repositoryId }) => repositoryId).values()) {
    const [first] = artifacts;
    const project = first === undefined ? undefined : await projectOf(deps, first);
    if (first === undefined || project === undefined) continue;
    await deleteFrom(work, { project, repository: first.repository }, artifacts);
  }
}

async function deleteFrom(
  { deps, run, garbage }: Work,
  place: RepositoryPlace,
  artifacts: readonly UntaggedArtifact[],
): Promise<void> {
  for (let at = 0; at < artifacts.length; at += BATCH) {
    run.signal.throwIfAborted();
    const some = artifacts.slice(at, at + BATCH).map(({ digest }) => ({ digest, tags: [] }));
    for (const { digest, refusal } of await deps.store.deleteArtifacts(place, { principal: COLLECTOR }, some)) {
      if (refusal === undefined) {
        garbage.artifacts += 1;
        run.log.info(`Deleted ${place.repository}@${digest}.`);
      } else run.log.warn(`${place.repository}@${digest} stays: ${describeError(refusal)}`);
    }
  }
}

async function projectOf(
  { database }: GcDeps,
  { projectId }: UntaggedArtifact,
): Promise<{ readonly id: number; readonly name: string; readonly public: boolean } | undefined> {
  const row = await database.db
    .selectFrom('projects')
    .select(['id', 'name', 'public'])
    .where('id', '=', projectId)
    .executeTakeFirst();
  return row === undefined ? undefined : { id: row.id, name: row.name, public: row.public === 1 };
}

/** Uploads whose manifest never came. */
async function unlinkUnneeded({ deps, run, beforeMs }: Work): Promise<void> {
  for (let count = BATCH; count === BATCH;) {
    run.signal.throwIfAborted();
    count = await deps.database.transaction(async (tx) =>
      expireLinks(tx, { untouchedSinceMs: beforeMs, limit: BATCH }),
    );
  }
}

/** Content that came into the store just before a process died. */
async function adoptUnknown({ deps, run, beforeMs }: Work): Promise<void> {
  for await (const blob of unknownBlobs(deps, run.signal)) {
    if (blob.modifiedAtMs >= beforeMs) continue;
    if (await adoptBlob(deps.database.db, blob)) run.log.info(`${blob.digest} was unknown.`);
  }
}

async function sweepBlobs(work: Work): Promise<void> {
  const { deps, run, beforeMs } = work;
  for (;;) {
    run.signal.throwIfAborted();
    const nowMs = (deps.nowMs ?? Date.now)();
    const batch = await deps.database.transaction(async (tx) =>
      condemnBlobs(tx, { unclaimedSinceMs: beforeMs, nowMs, limit: BATCH }),
    );
    if (batch.length === 0) return;
    await removeBlobs(work, batch);
  }
}

async function removeBlobs({ deps, run, garbage, workers }: Work, batch: readonly CondemnedBlob[]): Promise<void> {
  await mapLimit(batch, workers, async ({ digest, sizeBytes, condemnedAtMs }) => {
    run.signal.throwIfAborted();
    // Whoever stored it again since then lost the race for its row, and is told to store it once more; content that
    // stays without a row is found by a later run.
    const removed = await deps.blobs.remove(storedAs(digest), { unlessModifiedSinceMs: condemnedAtMs });
    await forgetBlob(deps.database.db, digest);
    if (!removed) return;
    garbage.blobs += 1;
    garbage.freedBytes += sizeBytes;
    if (garbage.blobs <= LOGGED_REMOVALS) run.log.info(`Removed ${digest}, ${sizeBytes} bytes.`);
  });
}

async function sweepManifests({ deps, run, garbage, beforeMs }: Work): Promise<void> {
  for (let last = BATCH; last === BATCH;) {
    run.signal.throwIfAborted();
    const { count, sizeBytes } = await deps.database.transaction(async (tx) =>
      removeUnusedManifests(tx, { unclaimedSinceMs: beforeMs, limit: BATCH }),
    );
    garbage.manifests += count;
    garbage.freedBytes += sizeBytes;
    last = count;
  }
}

async function sweepUploads({ deps, run, garbage, beforeMs }: Work, nowMs: number): Promise<void> {
  const before = Math.min(beforeMs, nowMs - MIN_UPLOAD_AGE_MS);
  for await (const { id, sizeBytes, modifiedAtMs } of deps.blobs.listUploads(run.signal)) {
    if (modifiedAtMs >= before) continue;
    try {
      await deps.blobs.cancelUpload(id);
    } catch (error) {
      if (isVicError(error, { code: 'BLOB_UPLOAD_UNKNOWN' })) continue;
      throw error;
    }
    garbage.uploads += 1;
    garbage.freedBytes += sizeBytes;
    run.log.info(`Removed upload ${id}, ${sizeBytes} bytes.`);
  }
}

/** A policy or another push was in the way; the others go on. */
function storedAs(digest: string): ContentDigest {
  if (isContentDigest(digest)) return digest;
  throw new VicError({ class: 'DataLoss', code: 'GC_DIGEST', message: `the table of blobs has the digest ${digest}` });
}
