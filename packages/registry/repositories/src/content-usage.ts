import type { ContentDigest } from '@vic/oci';
import type { Database, Executor } from '@vic/sql';

/** Something that counts once for its project's storage. */
export interface ProjectContent {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
}

/** Deltas folded in one go; the rest is folded the next time. */
const FOLD_BATCH = 5000;

/** Counts content for the project, unless the project had it. */
export async function addContent(tx: Executor, projectId: number, content: ProjectContent): Promise<void> {
  const added = await tx
    .insertInto('project_content')
    .values({ project_id: projectId, digest: content.digest, size_bytes: content.sizeBytes })
    .onConflict((conflict) => conflict.columns(['project_id', 'digest']).doNothing())
    .returning('digest')
    .execute();
  if (added.length > 0) await appendDelta(tx, projectId, content.sizeBytes);
}

/** Counts content no more, which no repository of the project has any longer. */
export async function dropContent(tx: Executor, projectId: number, digests: readonly string[]): Promise<void> {
  if (digests.length === 0) return;
  const dropped = await tx
    .deleteFrom('project_content')
    .where('project_id', '=', projectId)
    .where('digest', 'in', [...digests])
    .returning('size_bytes')
    .execute();
  const freed = dropped.reduce((sum, row) => sum + Number(row.size_bytes), 0);
  await appendDelta(tx, projectId, -freed);
}

/** Which of these the project has already. */
export async function contentOf(db: Executor, projectId: number, digests: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('project_content')
    .select('digest')
    .where('project_id', '=', projectId)
    .where('digest', 'in', [...digests])
    .execute();
  return new Set(rows.map((row) => row.digest));
}

/** Bytes of the unique blobs and manifests of the project: exact, whether folded or not. */
export async function usageOf(db: Executor, projectId: number): Promise<number> {
  const row = await db
    .selectNoFrom((eb) => [
      eb.selectFrom('project_usage').select('used_bytes').where('project_id', '=', projectId).as('folded'),
      eb
        .selectFrom('usage_deltas')
        .select((inner) => inner.fn.sum<number>('delta_bytes').as('sum'))
        .where('project_id', '=', projectId)
        .as('pending'),
    ])
    .executeTakeFirstOrThrow();
  return Number(row.folded ?? 0) + Number(row.pending ?? 0);
}

/** Folds what was appended; only one process at a time has rows to fold, so nothing is counted twice. */
export async function foldUsage(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    const last = await tx
      .selectFrom('usage_deltas')
      .select('id')
      .orderBy('id')
      .offset(FOLD_BATCH)
      .limit(1)
      .executeTakeFirst();
    const rows = await tx
      .deleteFrom('usage_deltas')
      .$if(last !== undefined, (query) => query.where('id', '<', last?.id ?? 0))
      .returning(['project_id', 'delta_bytes'])
      .execute();
    const sums = new Map<number, number>();
    for (const row of rows) sums.set(row.project_id, (sums.get(row.project_id) ?? 0) + Number(row.delta_bytes));
    for (const [projectId, sum] of sums) {
      await tx
        .insertInto('project_usage')
        .values({ project_id: projectId, used_bytes: sum })
        .onConflict((conflict) =>
          conflict.column('project_id').doUpdateSet((eb) => ({
            used_bytes: eb('project_usage.used_bytes', '+', eb.ref('excluded.used_bytes')),
          })),
        )
        .execute();
    }
  });
}

async function appendDelta(tx: Executor, projectId: number, deltaBytes: number): Promise<void> {
  if (deltaBytes === 0) return;
  await tx.insertInto('usage_deltas').values({ project_id: projectId, delta_bytes: deltaBytes }).execute();
}
