import { VicError } from '@vic/errors';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import { artifactByDigest, tagNamesOf } from './artifact-rows.ts';
import type { Artifact } from './artifact.ts';
import { admitBlob, linkBlob } from './blob-links.ts';
import { accessoriesOf } from './remove-artifacts.ts';
import { findManifest } from './find-manifest.ts';
import { noSuchArtifact } from './not-found.ts';
import { putManifest } from './put-manifest.ts';
import type { StoreContext } from './store-context.ts';

/** What to copy. */
export interface CopySource {
  readonly repository: string;
  /** A tag, which the copy then has, too, or a digest. */
  readonly reference: string;
}

/** An index of indexes of … has to end somewhere. */
const MAX_DEPTH = 10;
/** Far more than any image has platforms and signatures. */
const MAX_ARTIFACTS = 5000;

/** Copies an artifact into another repository of this registry, with its children and accessories. */
export async function copyArtifact(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  source: CopySource,
): Promise<Artifact> {
  const served = await findManifest(context.database.db, source.repository, source.reference);
  if (served === undefined) throw noSuchArtifact(source.repository, source.reference);
  const copied: Artifact[] = [];
  for (const artifact of await closure(context, served.artifact)) {
    const isRoot = artifact.id === served.artifact.id;
    const tags = isRoot ? tagsIn(served.tag) : await cosignTags(context, artifact);
    copied.push(await copyOne(context, place, actor, { artifact, tags, from: source.repository }));
  }
  const root = copied.find(({ digest }) => digest === served.artifact.digest);
  if (root === undefined) throw noSuchArtifact(source.repository, source.reference);
  return root;
}

/** The artifact after its children and before its accessories, and so theirs. */
async function closure(context: StoreContext, root: Artifact): Promise<readonly Artifact[]> {
  const ordered = new Map<number, Artifact>();
  const visit = async (artifact: Artifact, depth: number): Promise<void> => {
    if (ordered.has(artifact.id) || depth > MAX_DEPTH) return;
    for (const child of await childrenOf(context, artifact)) await visit(child, depth + 1);
    if (ordered.size >= MAX_ARTIFACTS) throw tooMany();
    ordered.set(artifact.id, artifact);
    for (const accessory of await accessoriesOf(context.database.db, artifact)) await visit(accessory, depth + 1);
  };
  await visit(root, 0);
  return [...ordered.values()];
}

async function childrenOf(context: StoreContext, artifact: Artifact): Promise<readonly Artifact[]> {
  const { db } = context.database;
  const rows = await db
    .selectFrom('artifact_references')
    .select('child_digest')
    .where('parent_id', '=', artifact.id)
    .orderBy('position')
    .execute();
  const children: Artifact[] = [];
  for (const { child_digest } of rows) {
    const child = await artifactByDigest(db, artifact.repositoryId, child_digest);
    if (child !== undefined) children.push(child);
  }
  return children;
}

async function copyOne(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  what: { readonly artifact: Artifact; readonly tags: readonly string[]; readonly from: string },
): Promise<Artifact> {
  const { db } = context.database;
  const blobs = await db
    .selectFrom('artifact_blobs as used')
    .innerJoin('repository_blobs as link', (join) =>
      join.onRef('link.repository_id', '=', 'used.repository_id').onRef('link.digest', '=', 'used.digest'),
    )
    .select(['link.digest', 'link.size_bytes'])
    .where('used.artifact_id', '=', what.artifact.id)
    .execute();
  for (const row of blobs) {
    const blob = { digest: row.digest as Artifact['digest'], sizeBytes: Number(row.size_bytes) };
    await admitBlob(context, place, actor, blob);
    await linkBlob(context, place, blob);
  }
  const served = await findManifest(db, what.from, what.artifact.digest);
  if (served === undefined) throw noSuchArtifact(what.from, what.artifact.digest);
  const { digest, mediaType, content } = served.manifest;
  const { artifact } = await putManifest(context, place, actor, { digest, mediaType, content, tags: what.tags });
  return artifact;
}

/** cosign finds by tag what belongs to an image, so these tags go along. */
async function cosignTags(context: StoreContext, artifact: Artifact): Promise<readonly string[]> {
  if (artifact.subject === undefined) return [];
  const prefix = artifact.subject.replace(':', '-');
  return (await tagNamesOf(context.database.db, artifact.id)).filter((tag) => tag.startsWith(`${prefix}.`));
}

function tagsIn(tag: string | undefined): readonly string[] {
  return tag === undefined ? [] : [tag];
}

function tooMany(): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'COPY_TOO_LARGE',
    message: `the artifact has more than ${MAX_ARTIFACTS} children and accessories`,
  });
}
