import { VicError, isVicError } from '@vic/errors';
import { appendEvent } from '@vic/events';
import {
  type ContentDescriptor,
  type ContentDigest,
  type RegistryManifest,
  algorithmOf,
  contentDigestOf,
  isTagName,
  parseRegistryManifest,
} from '@vic/oci';
import type { Executor } from '@vic/sql';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import { type ArtifactKind, artifactKind } from './artifact-kind.ts';
import { artifactByDigest, artifactOf, ensureRepository } from './artifact-rows.ts';
import type { Artifact } from './artifact.ts';
import { eventOf } from './artifact-event.ts';
import { addContent, contentOf } from './content-usage.ts';
import type { ExtraAttributes } from './config-attributes.ts';
import { requireContent } from './missing-content.ts';
import type { StoreContext } from './store-context.ts';
import { type TagTargets, moveTag, tagTargets } from './tags.ts';

/** A manifest as a client sent it. */
export interface NewManifest {
  readonly content: Uint8Array;
  /** The request's content type. */
  readonly mediaType: string;
  /** The digest the client named it by, else its sha256. */
  readonly digest: ContentDigest;
  /** Tags to point to it. */
  readonly tags: readonly string[];
}

/** What became of a manifest. */
export interface PutManifestResult {
  readonly artifact: Artifact;
  /** Whether the artifact is new or a tag moved to it. */
  readonly changed: boolean;
}

/** A manifest that was read and found right, on its way into a repository. */
interface CheckedManifest extends NewManifest {
  readonly document: RegistryManifest;
  readonly kind: ArtifactKind;
  readonly attributes: ExtraAttributes;
}

/** Who loses a race with other pushes of its tags more often than this is told so. */
const MAX_ATTEMPTS = 5;

/** Stores a manifest: checked, through the gates, then in one transaction with everything it changes. */
export async function putManifest(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  manifest: NewManifest,
): Promise<PutManifestResult> {
  const document = check(manifest);
  const kind = artifactKind(document, manifest.tags);
  const attributes = await context.attributes.of(document);
  for (let attempt = 1; ; attempt++) {
    try {
      const judged = await tagTargets(context.database.db, place.repository, manifest.tags);
      await askGates(context, place, actor, { ...manifest, document, kind });
      return await commit(context, { place, actor, judged }, { ...manifest, document, kind, attributes });
    } catch (error) {
      // The gates have not judged what the tag points to now.
      if (!isVicError(error, { code: 'TAG_MOVED' }) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function commit(
  context: StoreContext,
  push: Pick<StoreStep, 'place' | 'actor' | 'judged'>,
  manifest: CheckedManifest,
): Promise<PutManifestResult> {
  const { place } = push;
  const nowMs = context.nowMs();
  return context.commits.run(async (tx) => {
    const repositoryId = await ensureRepository(tx, {
      projectId: place.project.id,
      name: place.repository,
      nowMs,
      listed: true,
    });
    await requireContent(tx, place.repository, manifest.document, context.sparse);
    return store(tx, { ...push, repositoryId, nowMs }, manifest);
  });
}

/** Where and when one manifest is stored, by whom. */
interface StoreStep {
  readonly place: RepositoryPlace;
  readonly actor: Actor;
  /** What its tags pointed to when the gates were asked. */
  readonly judged: TagTargets;
  readonly repositoryId: number;
  readonly nowMs: number;
}

async function store(tx: Executor, step: StoreStep, manifest: CheckedManifest): Promise<PutManifestResult> {
  const existing = await artifactByDigest(tx, step.repositoryId, manifest.digest);
  const artifact = existing ?? (await addArtifact(tx, step, manifest));
  if (existing !== undefined) await mendContent(tx, manifest, step.nowMs);
  if (existing !== undefined && existing.subject === undefined && manifest.kind.subject !== undefined) {
    await becomeAccessory(tx, existing.id, manifest.kind);
  }
  const moved: string[] = [];
  for (const tag of manifest.tags) {
    if (await moveTag(tx, { ...step, artifactId: artifact.id, name: tag })) moved.push(tag);
  }
  const changed = existing === undefined || moved.length > 0;
  if (changed) await tell(tx, step, { artifact, moved });
  return { artifact, changed };
}

async function addArtifact(tx: Executor, step: StoreStep, manifest: CheckedManifest): Promise<Artifact> {
  const { document, kind } = manifest;
  await storeContent(tx, manifest, step.nowMs);
  const row = await tx
    .insertInto('artifacts')
    .values({
      project_id: step.place.project.id,
      repository_id: step.repositoryId,
      digest: manifest.digest,
      type: kind.type,
      media_type: document.config?.mediaType ?? document.mediaType,
      manifest_media_type: document.mediaType,
      artifact_type: document.artifactType,
      size_bytes: totalSize(manifest),
      subject_digest: kind.subject ?? null,
      subject_origin: kind.subjectOrigin ?? null,
      accessory_type: kind.accessoryType ?? null,
      extra_attrs: JSON.stringify(manifest.attributes),
      annotations: JSON.stringify(document.annotations),
      pushed_at_ms: step.nowMs,
      pulled_at_ms: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await addReferences(tx, step.repositoryId, row.id, document);
  await addContent(tx, step.place.project.id, {
    digest: manifest.digest,
    sizeBytes: manifest.content.length,
  });
  return artifactOf(row);
}

/** What was damaged, or put into quarantine, is whole again after a push of the same. */
async function mendContent(tx: Executor, manifest: CheckedManifest, nowMs: number): Promise<void> {
  const stored = await tx
    .selectFrom('manifests')
    .select('content')
    .where('digest', '=', manifest.digest)
    .executeTakeFirst();
  if (stored !== undefined && Buffer.compare(stored.content, manifest.content) === 0) return;
  await storeContent(tx, manifest, nowMs);
}

async function storeContent(tx: Executor, manifest: CheckedManifest, nowMs: number): Promise<void> {
  await tx
    .insertInto('manifests')
    .values({
      digest: manifest.digest,
      media_type: manifest.document.mediaType,
      size_bytes: manifest.content.length,
      content: manifest.content,
      claimed_at_ms: nowMs,
    })
    .onConflict((conflict) =>
      conflict.column('digest').doUpdateSet((eb) => ({
        size_bytes: eb.ref('excluded.size_bytes'),
        content: eb.ref('excluded.content'),
        claimed_at_ms: nowMs,
      })),
    )
    .execute();
}

/** Statements with more parameters than this are split. */
const ROWS_PER_STATEMENT = 200;

async function addReferences(
  tx: Executor,
  repositoryId: number,
  artifactId: number,
  document: RegistryManifest,
): Promise<void> {
  const children = document.manifests.map((child, position) => ({
    parent_id: artifactId,
    repository_id: repositoryId,
    child_digest: child.digest,
    position,
    media_type: child.mediaType,
    size_bytes: child.sizeBytes,
    platform: child.platform === undefined ? null : JSON.stringify(child.platform),
    annotations: JSON.stringify(child.annotations),
  }));
  for (let at = 0; at < children.length; at += ROWS_PER_STATEMENT) {
    await tx
      .insertInto('artifact_references')
      .values(children.slice(at, at + ROWS_PER_STATEMENT))
      .execute();
  }
  await nameMediaTypes(tx, repositoryId, blobsOf(document));
  const blobs = [...new Set(blobsOf(document).map(({ digest }) => digest))].map((digest) => ({
    artifact_id: artifactId,
    repository_id: repositoryId,
    digest,
  }));
  for (let at = 0; at < blobs.length; at += ROWS_PER_STATEMENT) {
    await tx
      .insertInto('artifact_blobs')
      .values(blobs.slice(at, at + ROWS_PER_STATEMENT))
      .execute();
  }
}

/** Only a manifest knows what its blobs are; the first one that names them decides. */
async function nameMediaTypes(tx: Executor, repositoryId: number, blobs: readonly ContentDescriptor[]): Promise<void> {
  for (const [mediaType, some] of Map.groupBy(blobs, (blob) => blob.mediaType)) {
    for (let at = 0; at < some.length; at += ROWS_PER_STATEMENT) {
      const digests = some.slice(at, at + ROWS_PER_STATEMENT).map(({ digest }) => digest);
      await tx
        .updateTable('repository_blobs')
        .set({ media_type: mediaType })
        .where('repository_id', '=', repositoryId)
        .where('digest', 'in', digests)
        .where('media_type', 'is', null)
        .execute();
    }
  }
}

/** The configuration and the layers. */
function blobsOf(document: RegistryManifest): readonly ContentDescriptor[] {
  return document.config === undefined ? document.layers : [document.config, ...document.layers];
}

/** cosign says what an artifact belongs to by a tag that may come later than the artifact. */
async function becomeAccessory(tx: Executor, artifactId: number, kind: ArtifactKind): Promise<void> {
  await tx
    .updateTable('artifacts')
    .set({
      type: kind.type,
      subject_digest: kind.subject ?? null,
      subject_origin: kind.subjectOrigin ?? null,
      accessory_type: kind.accessoryType ?? null,
    })
    .where('id', '=', artifactId)
    .execute();
}

async function tell(
  tx: Executor,
  step: StoreStep,
  what: { readonly artifact: Artifact; readonly moved: readonly string[] },
): Promise<void> {
  const subject = eventOf(step.place, step.actor, what.artifact, what.moved);
  await appendEvent(tx, { type: 'artifact.pushed', ...subject });
  for (const tag of what.moved) await appendEvent(tx, { type: 'tag.created', ...subject, tags: [tag] });
}

function check(manifest: NewManifest): RegistryManifest {
  const document = parseRegistryManifest(manifest.content, manifest.mediaType);
  const actual = contentDigestOf(algorithmOf(manifest.digest), manifest.content);
  if (actual !== manifest.digest) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'MANIFEST_DIGEST_MISMATCH',
      message: `provided digest did not match uploaded content: the content is ${actual}`,
    });
  }
  const wrong = manifest.tags.find((tag) => !isTagName(tag));
  if (wrong !== undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'TAG_NAME_INVALID',
      message: `${JSON.stringify(wrong.slice(0, 128))} is not a tag`,
    });
  }
  return document;
}

async function askGates(
  context: StoreContext,
  place: RepositoryPlace,
  actor: Actor,
  manifest: NewManifest & { readonly document: RegistryManifest; readonly kind: ArtifactKind },
): Promise<void> {
  if (context.gates.every((gate) => gate.beforePush === undefined)) return;
  const had = await contentOf(context.database.db, place.project.id, [manifest.digest]);
  for (const gate of context.gates) {
    await gate.beforePush?.({
      ...place,
      actor,
      digest: manifest.digest,
      tags: manifest.tags,
      mediaType: manifest.document.mediaType,
      artifactType: manifest.document.artifactType,
      subject: manifest.kind.subject,
      sizeBytesToAdd: had.size > 0 ? 0 : manifest.content.length,
    });
  }
}

function totalSize(manifest: CheckedManifest): number {
  const { document } = manifest;
  const parts = [...blobsOf(document), ...document.manifests];
  const unique = new Map(parts.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  return [...unique.values()].reduce((sum, sizeBytes) => sum + sizeBytes, manifest.content.length);
}
