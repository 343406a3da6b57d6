import type { Executor } from '@vic/sql';

/** An artifact that may be deleted, and where it is. */
export interface UntaggedArtifact {
  readonly id: number;
  readonly digest: string;
  readonly repositoryId: number;
  readonly repository: string;
  readonly projectId: number;
}

const PAGE = 1000;

/**
 * The artifacts without a tag pushed before `pushedBeforeMs`, each before the artifacts it lists: an index before its
 * images. Those that an artifact which stays lists, and those with a subject, whether it is there or not, stay.
 */
export async function findUntagged(db: Executor, pushedBeforeMs: number): Promise<readonly UntaggedArtifact[]> {
  const candidates: UntaggedArtifact[] = [];
  for (let after = 0; ; after = candidates.at(-1)?.id ?? after) {
    const page = await untaggedAfter(db, pushedBeforeMs, after);
    candidates.push(...page);
    if (page.length < PAGE) break;
  }
  const parents = await parentsOf(db, pushedBeforeMs);
  const doomed = new Map<number, UntaggedArtifact>();
  for (let rest = candidates; ;) {
    const next = rest.filter(({ id }) => (parents.get(id) ?? []).every((parent) => doomed.has(parent)));
    if (next.length === 0) return [...doomed.values()];
    for (const artifact of next) doomed.set(artifact.id, artifact);
    rest = rest.filter(({ id }) => !doomed.has(id));
  }
}

async function untaggedAfter(
  db: Executor,
  pushedBeforeMs: number,
  after: number,
): Promise<readonly UntaggedArtifact[]> {
  const rows = await untagged(db, pushedBeforeMs)
    .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
    .select([
      'artifacts.id',
      'artifacts.digest',
      'artifacts.repository_id',
      'artifacts.project_id',
      'repositories.name',
    ])
    .where('artifacts.id', '>', after)
    .orderBy('artifacts.id')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({
    id: Number(row.id),
    digest: row.digest,
    repositoryId: row.repository_id,
    repository: row.name,
    projectId: row.project_id,
  }));
}

/** What lists each of the untagged artifacts. */
async function parentsOf(db: Executor, pushedBeforeMs: number): Promise<ReadonlyMap<number, readonly number[]>> {
  const rows = await untagged(db, pushedBeforeMs)
    .innerJoin('artifact_references as listed', (join) =>
      join
        .onRef('listed.repository_id', '=', 'artifacts.repository_id')
        .onRef('listed.child_digest', '=', 'artifacts.digest'),
    )
    .select(['artifacts.id', 'listed.parent_id'])
    .execute();
  const parents = new Map<number, number[]>();
  for (const { id, parent_id } of rows) parents.set(Number(id), [...(parents.get(Number(id)) ?? []), parent_id]);
  return parents;
}

function untagged(db: Executor, pushedBeforeMs: number) {
  return db
    .selectFrom('artifacts')
    .where('artifacts.pushed_at_ms', '<', pushedBeforeMs)
    .where('artifacts.subject_digest', 'is', null)
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('tags').select('tags.id').whereRef('tags.artifact_id', '=', 'artifacts.id'))),
    );
}
