import { type Database, type SqlBool, sql } from '@vic/sql';
import type { RetentionCandidate } from './evaluate-retention.ts';

/** A candidate with what its log line says. */
export interface StoredCandidate extends RetentionCandidate {
  readonly id: number;
  readonly type: string;
}

/**
 * What retention decides about in a repository: neither what belongs to other artifacts, which goes with them, nor
 * untagged members of an index, which it needs.
 */
export async function loadCandidates({ db }: Database, repositoryId: number): Promise<readonly StoredCandidate[]> {
  const [artifacts, tags] = await Promise.all([
    db
      .selectFrom('artifacts')
      .select(['id', 'digest', 'type', 'pushed_at_ms', 'pulled_at_ms'])
      .where('repository_id', '=', repositoryId)
      .where('subject_digest', 'is', null)
      .where(
        sql<SqlBool>`(
          exists (select 1 from tags where tags.artifact_id = artifacts.id) or not exists (
            select 1 from artifact_references
            where artifact_references.repository_id = artifacts.repository_id
              and artifact_references.child_digest = artifacts.digest
          )
        )`,
      )
      .orderBy('id')
      .execute(),
    db
      .selectFrom('tags')
      .select(['artifact_id', 'name', 'pushed_at_ms', 'pulled_at_ms'])
      .where('repository_id', '=', repositoryId)
      .orderBy('name')
      .execute(),
  ]);
  const tagsOf = Map.groupBy(tags, ({ artifact_id }) => artifact_id);
  return artifacts.map((artifact) => {
    const own = tagsOf.get(artifact.id) ?? [];
    return {
      id: artifact.id,
      digest: artifact.digest,
      type: artifact.type,
      tags: own.map(({ name }) => name),
      pushedAtMs: own.reduce((latest, tag) => Math.max(latest, tag.pushed_at_ms), artifact.pushed_at_ms),
      pulledAtMs: own.reduce((latest, tag) => Math.max(latest, tag.pulled_at_ms ?? 0), artifact.pulled_at_ms ?? 0),
    };
  });
}
