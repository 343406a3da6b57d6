import type { ContentDigest } from '@vic/oci';
import type { Database } from '@vic/sql';

/** What replication asks about artifacts here beyond what the repository store tells. */
export class LocalArtifacts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Names of an artifact's labels. */
  async labelsOf(artifactId: number): Promise<string[]> {
    const rows = await this.#database.db
      .selectFrom('artifact_labels')
      .innerJoin('labels', 'labels.id', 'artifact_labels.label_id')
      .select('labels.name')
      .where('artifact_labels.artifact_id', '=', artifactId)
      .execute();
    return rows.map(({ name }) => name);
  }

  /** Tags with the digests they name, by name, a page after the tag given. */
  async tagsAfter(
    repository: string,
    after: string,
    limit: number,
  ): Promise<{ name: string; digest: ContentDigest }[]> {
    const rows = await this.#database.db
      .selectFrom('repositories')
      .innerJoin('tags', 'tags.repository_id', 'repositories.id')
      .innerJoin('artifacts', 'artifacts.id', 'tags.artifact_id')
      .select(['tags.name', 'artifacts.digest'])
      .where('repositories.name', '=', repository)
      .where('tags.name', '>', after)
      .orderBy('tags.name')
      .limit(limit)
      .execute();
    return rows.map(({ name, digest }) => ({ name, digest: digest as ContentDigest }));
  }

  /** Artifacts without a tag that belong to no other, a page after the id given. */
  async untaggedAfter(
    repository: string,
    after: number,
    limit: number,
  ): Promise<{ id: number; digest: ContentDigest }[]> {
    const rows = await this.#database.db
      .selectFrom('repositories')
      .innerJoin('artifacts', 'artifacts.repository_id', 'repositories.id')
      .select(['artifacts.id', 'artifacts.digest'])
      .where('repositories.name', '=', repository)
      .where('artifacts.id', '>', after)
      .where('artifacts.subject_digest', 'is', null)
      .where((where) =>
        where.not(
          where.exists(where.selectFrom('tags').select('tags.id').whereRef('tags.artifact_id', '=', 'artifacts.id')),
        ),
      )
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('artifact_references')
              .select('artifact_references.parent_id')
              .whereRef('artifact_references.repository_id', '=', 'artifacts.repository_id')
              .whereRef('artifact_references.child_digest', '=', 'artifacts.digest'),
          ),
        ),
      )
      .orderBy('artifacts.id')
      .limit(limit)
      .execute();
    return rows.map(({ id, digest }) => ({ id, digest: digest as ContentDigest }));
  }

  /** When a tag was last moved. */
  async tagPushedAt(repository: string, tag: string): Promise<number | undefined> {
    const row = await this.#database.db
      .selectFrom('repositories')
      .innerJoin('tags', 'tags.repository_id', 'repositories.id')
      .select('tags.pushed_at_ms')
      .where('repositories.name', '=', repository)
      .where('tags.name', '=', tag)
      .executeTakeFirst();
    return row?.pushed_at_ms;
  }

  /**
   * The references by which an artifact travels: its tags; those of what it belongs to (its subject, the indexes
   * that list it); its digest when there is none of these.
   */
  async travelsAs(repository: string, digest: string, depth = 0): Promise<ReadonlySet<string>> {
    const artifact = await this.#database.db
      .selectFrom('repositories')
      .innerJoin('artifacts', 'artifacts.repository_id', 'repositories.id')
      .select(['artifacts.id', 'artifacts.repository_id', 'artifacts.subject_digest'])
      .where('repositories.name', '=', repository)
      .where('artifacts.digest', '=', digest)
      .executeTakeFirst();
    if (artifact === undefined || depth > MAX_DEPTH) return new Set();
    if (artifact.subject_digest !== null) return this.travelsAs(repository, artifact.subject_digest, depth + 1);
    const tags = await this.#database.db
      .selectFrom('tags')
      .select('name')
      .where('artifact_id', '=', artifact.id)
      .execute();
    const parents = await this.#database.db
      .selectFrom('artifact_references')
      .innerJoin('artifacts', 'artifacts.id', 'artifact_references.parent_id')
      .select('artifacts.digest')
      .where('artifact_references.repository_id', '=', artifact.repository_id)
      .where('artifact_references.child_digest', '=', digest)
      .execute();
    const names = new Set(tags.map(({ name }) => name));
    for (const parent of parents) {
      for (const name of await this.travelsAs(repository, parent.digest, depth + 1)) names.add(name);
    }
    return names.size > 0 ? names : new Set([digest]);
  }
}

const MAX_DEPTH = 16;
