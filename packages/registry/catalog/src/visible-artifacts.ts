import { type Executor, type Expression, type RawBuilder, type SqlBool, sql } from '@vic/sql';

/**
 * The condition on `artifacts` that lists are made of: neither what belongs to another artifact, nor the untagged
 * members of an index.
 *
 * The offsets change nothing but PostgreSQL's plan: without them it reads both tables whole, to hash them, before it
 * gives the first page.
 */
export function isListed(): Expression<SqlBool> {
  return sql<SqlBool>`(artifacts.subject_digest is null and (
    exists (select 1 from tags where tags.artifact_id = artifacts.id limit 1 offset 0)
    or not exists (
      select 1 from artifact_references
      where artifact_references.repository_id = artifacts.repository_id
        and artifact_references.child_digest = artifacts.digest
      limit 1 offset 0
    )
  ))`;
}

/** The condition that an artifact has a tag. */
export function isTagged(): RawBuilder<SqlBool> {
  return sql<SqlBool>`exists (select 1 from tags where tags.artifact_id = artifacts.id)`;
}

/** Which repositories are counted: these, or all of a project. */
export type CountedRepositories = { readonly ids: readonly number[] } | { readonly projectId: number };

/**
 * How many artifacts {@link isListed} holds for, by repository.
 *
 * All that belong to nothing are counted in an index; what is taken off are the untagged members of indexes, which
 * are found from the references.
 */
export async function countListed(
  executor: Executor,
  repositories: CountedRepositories,
): Promise<ReadonlyMap<number, number>> {
  if ('ids' in repositories && repositories.ids.length === 0) return new Map();
  const counted =
    'ids' in repositories
      ? sql`${sql.join(repositories.ids)}`
      : sql`select id from repositories where project_id = ${repositories.projectId}`;
  const [all, members] = await Promise.all([
    executor
      .selectFrom('artifacts')
      .select((e) => ['repository_id', e.fn.countAll<number>().as('total')])
      .where(sql<SqlBool>`repository_id in (${counted})`)
      .where('subject_digest', 'is', null)
      .groupBy('repository_id')
      .execute(),
    executor
      .selectFrom('artifact_references')
      .innerJoin('artifacts', (join) =>
        join
          .onRef('artifacts.repository_id', '=', 'artifact_references.repository_id')
          .onRef('artifacts.digest', '=', 'artifact_references.child_digest'),
      )
      .select((e) => ['artifacts.repository_id', e.fn.count<number>('artifacts.id').distinct().as('total')])
      .where(sql<SqlBool>`artifact_references.repository_id in (${counted})`)
      .where('artifacts.subject_digest', 'is', null)
      .where(sql<SqlBool>`not ${isTagged()}`)
      .groupBy('artifacts.repository_id')
      .execute(),
  ]);
  const counts = new Map(all.map((row) => [row.repository_id, Number(row.total)]));
  for (const row of members) counts.set(row.repository_id, (counts.get(row.repository_id) ?? 0) - Number(row.total));
  return counts;
}
