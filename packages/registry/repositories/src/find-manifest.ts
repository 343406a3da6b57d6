import type { ContentDigest } from '@vic/oci';
import type { Executor } from '@vic/sql';
import { artifactOf } from './artifact-rows.ts';
import type { Artifact, StoredManifest } from './artifact.ts';

/** A manifest that is served. */
export interface ServedManifest {
  readonly artifact: Artifact;
  readonly manifest: StoredManifest;
  /** The tag it was asked by. */
  readonly tag: string | undefined;
}

/** The manifest of a tag or digest. */
export async function findManifest(
  db: Executor,
  repository: string,
  reference: string,
): Promise<ServedManifest | undefined> {
  const base = db
    .selectFrom('repositories')
    .innerJoin('artifacts', 'artifacts.repository_id', 'repositories.id')
    .innerJoin('manifests', 'manifests.digest', 'artifacts.digest')
    .selectAll('artifacts')
    .select('manifests.content')
    .where('repositories.name', '=', repository);
  const byDigest = reference.includes(':');
  const row = byDigest
    ? await base.where('artifacts.digest', '=', reference).executeTakeFirst()
    : await base
        .innerJoin('tags', 'tags.artifact_id', 'artifacts.id')
        .whereRef('tags.repository_id', '=', 'repositories.id')
        .where('tags.name', '=', reference)
        .executeTakeFirst();
  if (row === undefined) return undefined;
  const artifact = artifactOf(row);
  const digest = row.digest as ContentDigest;
  return {
    artifact,
    manifest: { digest, mediaType: row.manifest_media_type, content: row.content },
    tag: byDigest ? undefined : reference,
  };
}
