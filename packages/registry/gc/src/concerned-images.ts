import type { Executor } from '@vic/sql';

/** An artifact that needs some content. */
export interface ConcernedImage {
  /** With its project: `team/app`. */
  readonly repository: string;
  readonly digest: string;
  /** Its own, else those of the indexes that list it; none when it is known by its digest only. */
  readonly tags: readonly string[];
}

/** An index may have thousands of tags; so many tell enough. */
const MAX_TAGS = 20;

/** The artifacts that need a blob, or whose manifest it is: the first of them, and how many there are. */
export async function imagesWith(
  db: Executor,
  digest: string,
  limit: number,
): Promise<{ readonly images: readonly ConcernedImage[]; readonly total: number }> {
  const { total } = await needing(db, digest)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const rows = await needing(db, digest)
    .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
    .select(['artifacts.id', 'artifacts.digest', 'artifacts.repository_id', 'repositories.name'])
    .orderBy('artifacts.id')
    .limit(limit)
    .execute();
  const images: ConcernedImage[] = [];
  for (const row of rows) {
    const own = await tagsOf(db, [row.id]);
    const tags = own.length > 0 ? own : await tagsOf(db, await indexesOf(db, row));
    images.push({ repository: row.name, digest: row.digest, tags });
  }
  return { images, total: Number(total) };
}

/** As clients name it: `team/app:v1`, `team/app@sha256:…`. */
export function namesOf({ repository, digest, tags }: ConcernedImage): readonly string[] {
  return tags.length === 0 ? [`${repository}@${digest}`] : tags.map((tag) => `${repository}:${tag}`);
}

/** The first names of a list, and how many there are besides: `team/app:v1, team/app:v2 and 3 more`. */
export function listNames(names: readonly string[], limit: number, unlisted = 0): string {
  const shown = names.slice(0, limit);
  const more = names.length - shown.length + unlisted;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** By the repositories that have the blob, as the indexes of the tables want it. */
function needing(db: Executor, digest: string) {
  const byBlob = db
    .selectFrom('repository_blobs as link')
    .innerJoin('artifact_blobs as used', (join) =>
      join.onRef('used.repository_id', '=', 'link.repository_id').onRef('used.digest', '=', 'link.digest'),
    )
    .select('used.artifact_id as id')
    .where('link.digest', '=', digest);
  const byManifest = db.selectFrom('artifacts as own').select('own.id').where('own.digest', '=', digest);
  return db.selectFrom('artifacts').where('artifacts.id', 'in', byBlob.union(byManifest));
}

async function indexesOf(
  db: Executor,
  image: { readonly digest: string; readonly repository_id: number },
): Promise<readonly number[]> {
  const rows = await db
    .selectFrom('artifact_references')
    .select('parent_id')
    .where('repository_id', '=', image.repository_id)
    .where('child_digest', '=', image.digest)
    .limit(MAX_TAGS)
    .execute();
  return rows.map(({ parent_id: id }) => id);
}

async function tagsOf(db: Executor, artifacts: readonly number[]): Promise<readonly string[]> {
  if (artifacts.length === 0) return [];
  const rows = await db
    .selectFrom('tags')
    .select('name')
    .where('artifact_id', 'in', artifacts)
    .orderBy('name')
    .limit(MAX_TAGS)
    .execute();
  return rows.map(({ name }) => name);
}
