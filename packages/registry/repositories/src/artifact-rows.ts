import type { ContentDigest } from '@vic/oci';
import type { Executor, Schema, Selectable } from '@vic/sql';
import { noSuchProject } from './not-found.ts';
import type { AccessoryType, Artifact, ArtifactReference, Repository, Tag } from './artifact.ts';

/** A repository from its row. */
export function repositoryOf(row: Selectable<Schema['repositories']>): Repository {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    description: row.description,
    pullCount: Number(row.pull_count),
    createdAtMs: Number(row.created_at_ms),
    updatedAtMs: Number(row.updated_at_ms),
    isListed: row.listed === 1,
  };
}

/** An artifact from its row. */
export function artifactOf(row: Selectable<Schema['artifacts']>): Artifact {
  return {
    id: row.id,
    projectId: row.project_id,
    repositoryId: row.repository_id,
    digest: row.digest as ContentDigest,
    type: row.type,
    mediaType: row.media_type,
    manifestMediaType: row.manifest_media_type,
    artifactType: row.artifact_type,
    sizeBytes: Number(row.size_bytes),
    subject: (row.subject_digest ?? undefined) as ContentDigest | undefined,
    accessoryType: (row.accessory_type ?? undefined) as AccessoryType | undefined,
    extraAttributes: JSON.parse(row.extra_attrs) as Record<string, unknown>,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    pushedAtMs: Number(row.pushed_at_ms),
    pulledAtMs: row.pulled_at_ms === null ? undefined : Number(row.pulled_at_ms),
  };
}

/** A tag from its row. */
export function tagOf(row: Selectable<Schema['tags']>): Tag {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    artifactId: row.artifact_id,
    name: row.name,
    pushedAtMs: Number(row.pushed_at_ms),
    pulledAtMs: row.pulled_at_ms === null ? undefined : Number(row.pulled_at_ms),
  };
}

/** An entry of an index from its row. */
export function referenceOf(row: Selectable<Schema['artifact_references']>): ArtifactReference {
  return {
    digest: row.child_digest as ContentDigest,
    mediaType: row.media_type,
    sizeBytes: Number(row.size_bytes),
    platform: row.platform === null ? undefined : (JSON.parse(row.platform) as Record<string, unknown>),
    annotations: JSON.parse(row.annotations) as Record<string, string>,
  };
}

/** The repository of that name. */
export async function findRepository(db: Executor, name: string): Promise<Repository | undefined> {
  const row = await db.selectFrom('repositories').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : repositoryOf(row);
}

/** The repository's id; made when it is not there, and listed from the first time that is asked for. */
export async function ensureRepository(
  tx: Executor,
  place: { readonly projectId: number; readonly name: string; readonly nowMs: number; readonly listed: boolean },
): Promise<number> {
  const found = await tx
    .selectFrom('repositories')
    .select(['id', 'listed'])
    .where('name', '=', place.name)
    .executeTakeFirst();
  if (found !== undefined) {
    if (place.listed && found.listed === 0) {
      await tx.updateTable('repositories').set({ listed: 1 }).where('id', '=', found.id).execute();
    }
    return found.id;
  }
  // The caller found it a moment ago.
  const project = await tx.selectFrom('projects').select('id').where('id', '=', place.projectId).executeTakeFirst();
  if (project === undefined) throw noSuchProject(place.name);
  const made = await tx
    .insertInto('repositories')
    .values({
      project_id: place.projectId,
      name: place.name,
      description: '',
      pull_count: 0,
      created_at_ms: place.nowMs,
      updated_at_ms: place.nowMs,
      listed: place.listed ? 1 : 0,
    })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet(place.listed ? { name: place.name, listed: 1 } : { name: place.name }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return made.id;
}

/** The artifact of a digest in a repository. */
export async function artifactByDigest(
  db: Executor,
  repositoryId: number,
  digest: string,
): Promise<Artifact | undefined> {
  const row = await db
    .selectFrom('artifacts')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row === undefined ? undefined : artifactOf(row);
}

/** The artifact of a tag or digest in a repository. */
export async function resolveArtifact(
  db: Executor,
  repository: string,
  reference: string,
): Promise<Artifact | undefined> {
  const base = db
    .selectFrom('repositories')
    .innerJoin('artifacts', 'artifacts.repository_id', 'repositories.id')
    .selectAll('artifacts')
    .where('repositories.name', '=', repository);
  const row = reference.includes(':')
    ? await base.where('artifacts.digest', '=', reference).executeTakeFirst()
    : await base
        .innerJoin('tags', 'tags.artifact_id', 'artifacts.id')
        .whereRef('tags.repository_id', '=', 'repositories.id')
        .where('tags.name', '=', reference)
        .executeTakeFirst();
  return row === undefined ? undefined : artifactOf(row);
}

/** The names of an artifact's tags, in order. */
export async function tagNamesOf(db: Executor, artifactId: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('tags')
    .select('name')
    .where('artifact_id', '=', artifactId)
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}
