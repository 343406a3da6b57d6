import { type ContentDigest, MEDIA_TYPES, parseRegistryManifest } from '@vic/oci';
import type { Executor } from '@vic/sql';
import type { Referrer } from './artifact.ts';
import { findManifest } from './find-manifest.ts';

/**
 * What names `subject` as its subject, oldest first.
 *
 * Clients of registries without the referrers API keep a list under a tag of their own making
 * (`sha256-<hex>`); what such a list names is found here, too.
 */
export async function listReferrers(
  db: Executor,
  repository: string,
  subject: ContentDigest,
  artifactType?: string,
): Promise<readonly Referrer[]> {
  const rows = await db
    .selectFrom('repositories')
    .innerJoin('artifacts', 'artifacts.repository_id', 'repositories.id')
    .innerJoin('manifests', 'manifests.digest', 'artifacts.digest')
    .select([
      'artifacts.digest',
      'artifacts.manifest_media_type',
      'artifacts.artifact_type',
      'artifacts.annotations',
      'manifests.size_bytes',
    ])
    .where('repositories.name', '=', repository)
    .where('artifacts.subject_digest', '=', subject)
    .where('artifacts.subject_origin', '=', 'declared')
    .orderBy('artifacts.id')
    .execute();
  const referrers = new Map<string, Referrer>(
    rows.map((row) => [
      row.digest,
      {
        mediaType: row.manifest_media_type,
        digest: row.digest as ContentDigest,
        sizeBytes: Number(row.size_bytes),
        artifactType: row.artifact_type,
        annotations: JSON.parse(row.annotations) as Record<string, string>,
      },
    ]),
  );
  for (const referrer of await fallbackReferrers(db, repository, subject)) {
    if (!referrers.has(referrer.digest)) referrers.set(referrer.digest, referrer);
  }
  const all = [...referrers.values()];
  return artifactType === undefined ? all : all.filter((referrer) => referrer.artifactType === artifactType);
}

async function fallbackReferrers(
  db: Executor,
  repository: string,
  subject: ContentDigest,
): Promise<readonly Referrer[]> {
  const list = await findManifest(db, repository, referrersTag(subject));
  if (list === undefined || list.manifest.mediaType !== MEDIA_TYPES.ociIndex) return [];
  const { manifests } = parseRegistryManifest(list.manifest.content, list.manifest.mediaType);
  const present = await presentOf(db, list.artifact.repositoryId, list.artifact.id);
  const listed = manifests.filter(({ digest }) => present.has(digest));
  return listed.map(({ mediaType, digest, sizeBytes, artifactType, annotations }) => ({
    mediaType,
    digest,
    sizeBytes,
    artifactType,
    annotations,
  }));
}

/** What an index lists and its repository still has. */
async function presentOf(db: Executor, repositoryId: number, indexId: number): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('artifact_references')
    .innerJoin('artifacts', 'artifacts.digest', 'artifact_references.child_digest')
    .select('artifacts.digest')
    .where('artifact_references.parent_id', '=', indexId)
    .where('artifacts.repository_id', '=', repositoryId)
    .execute();
  return new Set(rows.map(({ digest }) => digest));
}

/** The tag under which clients of registries without the referrers API list the referrers of an artifact. */
export function referrersTag(subject: string): string {
  return subject.replace(':', '-').slice(0, MAX_TAG_LENGTH);
}

/** The tag of a sha512 digest would be longer; the specification cuts it. */
const MAX_TAG_LENGTH = 128;
