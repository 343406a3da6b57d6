import { createHash } from 'node:crypto';
import { mapLimit } from '@vic/async';
import { type ContentDigest, algorithmOf, hexOf, isContentDigest } from '@vic/oci';
import { type ListedBlob } from '@vic/blob';
import { VicError } from '@vic/errors';
import type { JsonObject } from '@vic/jobs';
import { imagesWith, listNames, namesOf } from './concerned-images.ts';
import { forgetDamage, noteDamage } from './damaged-content.ts';
import type { GcDeps, GcRun } from './gc-work.ts';

/** What a scrub is asked to do. */
export interface ScrubParameters {
  /** How many blobs are read at a time. */
  readonly workers: number;
}

/** What a scrub has found. */
export interface ScrubReport {
  blobs: number;
  manifests: number;
  verifiedBytes: number;
  damagedBlobs: number;
  damagedManifests: number;
  /** Blobs that a repository has and the store has not. */
  missingBlobs: number;
  /** Images that need what is damaged or missing, by name: the first {@link MAX_NAMES} of them. */
  readonly images: Set<string>;
}

const MAX_WORKERS = 10;
/** Of images that a report names: a base layer may be part of thousands. */
const MAX_NAMES = 1000;
/** Of images that a line of the log names. */
const NAMES_IN_LINE = 5;
const BATCH = 100;

/** Reads the parameters of a request. */
export function readScrubParameters(parameters: JsonObject): ScrubParameters {
  const unknown = Object.keys(parameters).find((name) => name !== 'workers');
  const workers = parameters['workers'] ?? 1;
  const isValid = typeof workers === 'number' && Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS;
  if (unknown === undefined && isValid) return { workers };
  throw new VicError({
    class: 'InvalidArgument',
    code: 'SCRUB_PARAMETERS',
    message:
      unknown === undefined
        ? `workers must be a whole number from 1 to ${MAX_WORKERS}`
        : `unknown parameter ${unknown.slice(0, 64)}`,
  });
}

/**
 * Reads every blob and every manifest and compares it with its digest.
 *
 * What is damaged is put into quarantine and noted, and from then on is missing, until it is pushed again.
 */
export async function scrub(deps: GcDeps, parameters: ScrubParameters, run: GcRun): Promise<ScrubReport> {
  const report: ScrubReport = {
    blobs: 0,
    manifests: 0,
    verifiedBytes: 0,
    damagedBlobs: 0,
    damagedManifests: 0,
    missingBlobs: 0,
    images: new Set(),
  };
  await scrubBlobs(deps, parameters, { run, report });
  run.progress(80, 'manifests');
  await scrubManifests(deps, { run, report });
  run.progress(90, 'blobs that are missing');
  await findMissing(deps, { run, report });
  return report;
}

interface Scrub {
  readonly run: GcRun;
  readonly report: ScrubReport;
}

async function scrubBlobs(deps: GcDeps, { workers }: ScrubParameters, { run, report }: Scrub): Promise<void> {
  const expected = await countBlobs(deps);
  let batch: ListedBlob[] = [];
  const verifyBatch = async (): Promise<void> => {
    const sound: ContentDigest[] = [];
    await mapLimit(batch, workers, async (blob) => {
      const verdict = await deps.blobs.verify(blob.digest, run.signal);
      report.blobs += 1;
      report.verifiedBytes += blob.sizeBytes;
      if (verdict === 'sound') sound.push(blob.digest);
      if (verdict !== 'damaged') return;
      report.damagedBlobs += 1;
      await tell(deps, { run, report }, { digest: blob.digest, what: 'was damaged and is in quarantine' });
    });
    await forgetDamage(deps.database.db, sound);
    run.progress(Math.min(80, (80 * report.blobs) / Math.max(1, expected)), `${report.blobs} blobs verified`);
    batch = [];
  };
  for await (const blob of deps.blobs.list(run.signal)) {
    batch.push(blob);
    if (batch.length === BATCH) await verifyBatch();
  }
  await verifyBatch();
}

/** Logs what is wrong with some content, and the images that need it. */
async function tell(
  { database }: Pick<GcDeps, 'database'>,
  { run, report }: Scrub,
  { digest, what }: { readonly digest: string; readonly what: string },
): Promise<void> {
  const { images, total } = await imagesWith(database.db, digest, MAX_NAMES);
  const names = [...new Set(images.flatMap(namesOf))];
  for (const name of names) if (report.images.size < MAX_NAMES) report.images.add(name);
  const needed = listNames(names, NAMES_IN_LINE, total - images.length);
  run.log.error(`${digest} ${what}; ${names.length === 0 ? 'no image needs it' : `needed by ${needed}`}.`);
}

async function countBlobs({ database }: GcDeps): Promise<number> {
  const { count } = await database.db
    .selectFrom('blobs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function scrubManifests(deps: GcDeps, { run, report }: Scrub): Promise<void> {
  const { db } = deps.database;
  for (let after = ''; ;) {
    run.signal.throwIfAborted();
    const page = await db
      .selectFrom('manifests')
      .select(['digest', 'content'])
      .where('digest', '>', after)
      .orderBy('digest')
      .limit(BATCH)
      .execute();
    const sound: string[] = [];
    for (const { digest, content } of page) {
      report.manifests += 1;
      report.verifiedBytes += content.length;
      if (isSound(digest, content)) {
        sound.push(digest);
        continue;
      }
      report.damagedManifests += 1;
      await tell(deps, { run, report }, { digest, what: 'is a manifest, was damaged and is in quarantine' });
      await quarantineManifest(deps, digest);
    }
    await forgetDamage(db, sound);
    if (page.length < BATCH) return;
    after = page.at(-1)?.digest ?? after;
  }
}

function isSound(digest: string, content: Uint8Array): boolean {
  return isContentDigest(digest) && createHash(algorithmOf(digest)).update(content).digest('hex') === hexOf(digest);
}

/** Without its row, the manifest is missing to clients; a push of the same restores it. */
async function quarantineManifest({ database, nowMs }: GcDeps, digest: string): Promise<void> {
  await database.transaction(async (tx) => {
    const row = await tx.selectFrom('manifests').select('content').where('digest', '=', digest).executeTakeFirst();
    // Pushed again in the meantime, it may be sound by now.
    if (row === undefined || isSound(digest, row.content)) return;
    const foundAtMs = (nowMs ?? Date.now)();
    await noteDamage(tx, { digest, kind: 'manifest', foundAtMs, quarantinedAs: undefined, content: row.content });
    await tx.deleteFrom('manifests').where('digest', '=', digest).execute();
  });
}

/** Blobs that repositories have and the store has lost: damaged ones, and what was deleted behind our back. */
async function findMissing(deps: GcDeps, { run, report }: Scrub): Promise<void> {
  const { database, blobs } = deps;
  for (let after = ''; ;) {
    run.signal.throwIfAborted();
    const page = await database.db
      .selectFrom('repository_blobs')
      .select('digest')
      .distinct()
      .where('digest', '>', after)
      .orderBy('digest')
      .limit(BATCH)
      .execute();
    for (const { digest } of page) {
      if (!isContentDigest(digest) || (await blobs.stat(digest)) !== undefined) continue;
      if (!(await isStillLinked({ database }, digest))) continue;
      report.missingBlobs += 1;
      await tell(deps, { run, report }, { digest, what: 'is missing in the blob store' });
    }
    if (page.length < BATCH) return;
    after = page.at(-1)?.digest ?? after;
  }
}

/** Unlinked and collected since it was listed, it is not missing. */
async function isStillLinked({ database }: Pick<GcDeps, 'database'>, digest: string): Promise<boolean> {
  const row = await database.db
    .selectFrom('repository_blobs')
    .select('digest')
    .where('digest', '=', digest)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
