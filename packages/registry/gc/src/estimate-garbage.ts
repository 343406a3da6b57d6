import type { Executor } from '@vic/sql';
import { type Garbage, noGarbage } from './garbage.ts';
import type { GcParameters } from './gc-parameters.ts';
import type { GcDeps, GcRun } from './gc-work.ts';
import { unknownBlobs } from './unknown-blobs.ts';
import { type UntaggedArtifact, findUntagged } from './untagged-artifacts.ts';

const HOUR_MS = 60 * 60 * 1000;
const MIN_UPLOAD_AGE_MS = HOUR_MS;
/** Popular blobs have thousands of users, each a row. */
const PAGE = 100;
const MAX_ACCESSORY_DEPTH = 10;

/** What a collection with these parameters would remove at this moment; changes nothing. */
export async function estimateGarbage(deps: GcDeps, parameters: GcParameters, run: GcRun): Promise<Garbage> {
  const { db } = deps.database;
  const nowMs = (deps.nowMs ?? Date.now)();
  const beforeMs = nowMs - parameters.timeWindowHours * HOUR_MS;
  const garbage = noGarbage();
  const untagged = parameters.deleteUntagged ? await findUntagged(db, beforeMs) : [];
  garbage.artifacts = untagged.length;
  const doomed = await withAccessories(db, untagged);
  run.progress(20, 'looking at blobs');
  await addBlobs({ deps, run, garbage, beforeMs }, doomed);
  run.progress(60, 'looking at manifests');
  await addManifests({ deps, run, garbage, beforeMs }, doomed);
  run.progress(80, 'looking at the blob store');
  for await (const { sizeBytes, modifiedAtMs } of unknownBlobs(deps, run.signal)) {
    if (modifiedAtMs < beforeMs) add(garbage, 'blobs', sizeBytes);
  }
  for await (const { sizeBytes, modifiedAtMs } of deps.blobs.listUploads(run.signal)) {
    if (modifiedAtMs < Math.min(beforeMs, nowMs - MIN_UPLOAD_AGE_MS)) add(garbage, 'uploads', sizeBytes);
  }
  return garbage;
}

interface Estimate {
  readonly deps: GcDeps;
  readonly run: GcRun;
  readonly garbage: Garbage;
  readonly beforeMs: number;
}

/** Artifacts with everything that belongs to them. */
async function withAccessories(db: Executor, untagged: readonly UntaggedArtifact[]): Promise<ReadonlySet<number>> {
  const doomed = new Set(untagged.map(({ id }) => id));
  for (const { repositoryId, digest } of untagged) {
    let subjects = [digest];
    for (let depth = 0; depth < MAX_ACCESSORY_DEPTH && subjects.length > 0; depth += 1) {
      const rows = await db
        .selectFrom('artifacts')
        .select(['id', 'digest'])
        .where('repository_id', '=', repositoryId)
        .where('subject_digest', 'in', subjects)
        .execute();
      const added = rows.filter(({ id }) => !doomed.has(Number(id)));
      for (const { id } of added) doomed.add(Number(id));
      subjects = added.map((row) => row.digest);
    }
  }
  return doomed;
}

async function addBlobs({ deps, run, garbage, beforeMs }: Estimate, doomed: ReadonlySet<number>): Promise<void> {
  const { db } = deps.database;
  for (let after = ''; ;) {
    run.signal.throwIfAborted();
    const page = await db
      .selectFrom('blobs')
      .select(['digest', 'size_bytes', 'state', 'claimed_at_ms'])
      .where('digest', '>', after)
      .orderBy('digest')
      .limit(PAGE)
      .execute();
    const old = page.filter(({ state, claimed_at_ms: at }) => state === 'condemned' || Number(at) < beforeMs);
    const kept = await keptBlobs(db, old, { beforeMs, doomed });
    for (const row of old) if (!kept.has(row.digest)) add(garbage, 'blobs', Number(row.size_bytes));
    if (page.length < PAGE) return;
    after = page.at(-1)?.digest ?? after;
  }
}

/** Those that some repository will still have once the doomed artifacts are gone. */
async function keptBlobs(
  db: Executor,
  blobs: readonly { readonly digest: string }[],
  { beforeMs, doomed }: { readonly beforeMs: number; readonly doomed: ReadonlySet<number> },
): Promise<ReadonlySet<string>> {
  if (blobs.length === 0) return new Set();
  const rows = await db
    .selectFrom('repository_blobs as link')
    .leftJoin('artifact_blobs as used', (join) =>
      join.onRef('used.repository_id', '=', 'link.repository_id').onRef('used.digest', '=', 'link.digest'),
    )
    .select(['link.digest', 'link.touched_at_ms', 'used.artifact_id'])
    .where(
      'link.digest',
      'in',
      blobs.map(({ digest }) => digest),
    )
    .execute();
  const keeps = rows.filter(({ artifact_id: user, touched_at_ms: at }) =>
    user === null ? Number(at) >= beforeMs : !doomed.has(Number(user)),
  );
  return new Set(keeps.map(({ digest }) => digest));
}

async function addManifests({ deps, run, garbage, beforeMs }: Estimate, doomed: ReadonlySet<number>): Promise<void> {
  const { db } = deps.database;
  for (let after = ''; ;) {
    run.signal.throwIfAborted();
    const page = await db
      .selectFrom('manifests')
      .select(['digest', 'size_bytes'])
      .where('claimed_at_ms', '<', beforeMs)
      .where('digest', '>', after)
      .orderBy('digest')
      .limit(PAGE)
      .execute();
    if (page.length === 0) return;
    const digests = page.map(({ digest }) => digest);
    const users = await db.selectFrom('artifacts').select(['id', 'digest']).where('digest', 'in', digests).execute();
    const kept = new Set(users.filter(({ id }) => !doomed.has(Number(id))).map(({ digest }) => digest));
    for (const row of page) if (!kept.has(row.digest)) add(garbage, 'manifests', Number(row.size_bytes));
    after = digests.at(-1) ?? after;
  }
}

function add(garbage: Garbage, what: 'blobs' | 'manifests' | 'uploads', sizeBytes: number): void {
  garbage[what] += 1;
  garbage.freedBytes += sizeBytes;
}
