import { VicError, isVicError } from '@vic/errors';
import type { Executor } from '@vic/sql';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import { artifactOf, findRepository, resolveArtifact, tagNamesOf } from './artifact-rows.ts';
import type { Artifact } from './artifact.ts';
import { noSuchArtifact } from './not-found.ts';
import { doomedWith, removeArtifacts, tagsOf } from './remove-artifacts.ts';
import type { StoreContext } from './store-context.ts';

/** An artifact that is to go, as it was when that was decided. */
export interface JudgedArtifact {
  readonly digest: string;
  /** In order. */
  readonly tags: readonly string[];
}

/** What became of an artifact that was to go. */
export interface DeletionOutcome {
  readonly digest: string;
  /** Why it stays. */
  readonly refusal: VicError | undefined;
}

/** Enough to make the commit cheap, few enough that pushes elsewhere do not have to wait for long. */
const ARTIFACTS_PER_TRANSACTION = 100;
/** Who loses a race with pushes more often than this is told so. */
const MAX_ATTEMPTS = 5;

/** Deletes an artifact with its tags and everything that belongs to it. */
export async function deleteArtifact(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  reference: string,
): Promise<void> {
  const { db } = context.database;
  for (let attempt = 1; ; attempt++) {
    const artifact = await resolveArtifact(db, place.repository, reference);
    if (artifact === undefined) throw noSuchArtifact(place.repository, reference);
    const judged = { digest: artifact.digest, tags: await tagNamesOf(db, artifact.id) };
    const [outcome] = await deleteArtifacts(context, place, actor, [judged]);
    if (outcome?.refusal === undefined) return;
    // The gates have not judged the tags it has now.
    if (!isVicError(outcome.refusal, { code: 'ARTIFACT_RETAGGED' }) || attempt === MAX_ATTEMPTS) throw outcome.refusal;
  }
}

/**
 * Deletes artifacts of one repository, many in each transaction; an interruption leaves those of the transactions
 * before it deleted. What a gate, an index or a new tag keeps stays, and says why; other failures end it.
 */
export async function deleteArtifacts(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  judged: readonly JudgedArtifact[],
): Promise<readonly DeletionOutcome[]> {
  const outcomes: DeletionOutcome[] = [];
  for (let at = 0; at < judged.length; at += ARTIFACTS_PER_TRANSACTION) {
    outcomes.push(...(await deleteSome(context, place, actor, judged.slice(at, at + ARTIFACTS_PER_TRANSACTION))));
  }
  return outcomes;
}

async function deleteSome(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  judged: readonly JudgedArtifact[],
): Promise<readonly DeletionOutcome[]> {
  const present = await presentArtifacts(context.database.db, place.repository, judged);
  const refusals = new Map<string, VicError>();
  for (const { digest, tags } of judged) {
    const refusal = await refusalOf(async () => {
      const artifact = present.get(digest)?.artifact;
      if (artifact === undefined) throw noSuchArtifact(place.repository, digest);
      for (const gate of context.gates) await gate.beforeArtifactDelete?.({ ...place, actor, artifact, tags });
    });
    if (refusal !== undefined) refusals.set(digest, refusal);
  }
  const admitted = judged.filter(({ digest }) => !refusals.has(digest));
  const outcomes = await context.database.transaction(async (tx) => removeAdmitted(tx, place, actor, admitted));
  return judged.map(({ digest }) => ({ digest, refusal: refusals.get(digest) ?? outcomes.get(digest) }));
}

/** Removes them with what belongs to them; gives why some stay. */
async function removeAdmitted(
  tx: Executor,
  place: RepositoryPlace,
  actor: Actor,
  admitted: readonly JudgedArtifact[],
): Promise<ReadonlyMap<string, VicError>> {
  const present = await presentArtifacts(tx, place.repository, admitted);
  const refusals = new Map<string, VicError>();
  const doomed = new Map<number, Artifact>();
  for (const { digest, tags } of admitted) {
    const refusal = await refusalOf(async () => {
      const found = present.get(digest);
      if (found === undefined) throw noSuchArtifact(place.repository, digest);
      if (doomed.has(found.artifact.id)) return;
      if (found.tags.join() !== tags.join()) throw retagged(place.repository, digest);
      const more = await doomedWith(tx, found.artifact, new Set(doomed.keys()));
      for (const artifact of more) doomed.set(artifact.id, artifact);
    });
    if (refusal !== undefined) refusals.set(digest, refusal);
  }
  await removeArtifacts(tx, place, actor, [...doomed.values()]);
  return refusals;
}

async function presentArtifacts(
  db: Executor,
  repository: string,
  judged: readonly JudgedArtifact[],
): Promise<ReadonlyMap<string, { readonly artifact: Artifact; readonly tags: readonly string[] }>> {
  const found = await findRepository(db, repository);
  if (found === undefined || judged.length === 0) return new Map();
  const digests = judged.map(({ digest }) => digest);
  const rows = await db
    .selectFrom('artifacts')
    .selectAll()
    .where('repository_id', '=', found.id)
    .where('digest', 'in', digests)
    .execute();
  const tags = await tagsOf(
    db,
    rows.map(({ id }) => id),
  );
  return new Map(rows.map((row) => [row.digest, { artifact: artifactOf(row), tags: tags.get(row.id) ?? [] }]));
}

/** Why it may not be; what is no refusal, such as a database that is away, is thrown. */
async function refusalOf(check: () => Promise<void>): Promise<VicError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const isRefusal =
      error instanceof VicError && !['Unavailable', 'Internal', 'DataLoss', 'Cancelled'].includes(error.class);
    if (isRefusal) return error;
    throw error;
  }
}

function retagged(repository: string, digest: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'ARTIFACT_RETAGGED',
    message: `the tags of ${repository}@${digest} changed while it was to be deleted`,
    remedy: 'Try again.',
  });
}
