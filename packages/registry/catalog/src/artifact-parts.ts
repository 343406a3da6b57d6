import type { Database, Schema, Selectable } from '@vic/sql';
import type { ArtifactRow } from './artifact-catalog.ts';

/** A tag's row. */
export type TagRow = Selectable<Schema['tags']>;
/** A label's row. */
export type LabelRow = Selectable<Schema['labels']>;
/** A row of the manifests that an index lists, with the artifact it is in this repository. */
export interface ReferenceRow extends Selectable<Schema['artifact_references']> {
  readonly child_id: number | null;
}

/** Which parts of artifacts are wanted. */
export interface WantedParts {
  readonly tags: boolean;
  readonly labels: boolean;
  readonly accessories: boolean;
  /** Signatures of the indexes that list the artifacts. */
  readonly inheritedAccessories: boolean;
}

/** What belongs to artifacts, by artifact id. */
export interface ArtifactParts {
  readonly tags: ReadonlyMap<number, readonly TagRow[]>;
  readonly labels: ReadonlyMap<number, readonly LabelRow[]>;
  readonly references: ReadonlyMap<number, readonly ReferenceRow[]>;
  /** By repository and subject: see {@link accessoriesOf}. */
  readonly accessories: ReadonlyMap<string, readonly ArtifactRow[]>;
  /** `undefined` unless wanted. */
  readonly inherited: ReadonlyMap<number, readonly InheritedAccessory[]> | undefined;
}

/** What is signed is an index; the signature covers what the index lists. */
export interface InheritedAccessory {
  readonly index: ArtifactRow;
  readonly signature: ArtifactRow;
}

const NONE: readonly never[] = [];

/**
 * What is shown of a page in all, newest first, so that nobody can push so much that a list takes the server's
 * memory; `/tags` and `/accessories` of an artifact have pages of their own.
 */
const MAX_TAGS = 50_000;
const MAX_ACCESSORIES = 5_000;

/** Reads what belongs to the artifacts of a page: one query for each part, however many artifacts there are. */
export async function loadParts(
  database: Database,
  artifacts: readonly ArtifactRow[],
  wanted: WantedParts,
): Promise<ArtifactParts> {
  const ids = artifacts.map(({ id }) => id);
  const [tags, labels, references, accessories, inherited] = await Promise.all([
    wanted.tags ? loadTags(database, ids) : NONE,
    wanted.labels ? loadLabels(database, ids) : NONE,
    loadReferences(database, ids),
    wanted.accessories ? loadAccessories(database, artifacts) : NONE,
    wanted.inheritedAccessories ? loadInherited(database, artifacts) : undefined,
  ]);
  return {
    tags: Map.groupBy(tags, ({ artifact_id }) => artifact_id),
    labels: Map.groupBy(labels, ({ artifact_id }) => artifact_id),
    references: Map.groupBy(references, ({ parent_id }) => parent_id),
    accessories: Map.groupBy(accessories, (row) => subjectKey(row.repository_id, row.subject_digest ?? '')),
    inherited,
  };
}

/** What of the parts belongs to this artifact as its subject. */
export function accessoriesOf(parts: ArtifactParts, artifact: ArtifactRow): readonly ArtifactRow[] {
  return parts.accessories.get(subjectKey(artifact.repository_id, artifact.digest)) ?? NONE;
}

function subjectKey(repositoryId: number, digest: string): string {
  return `${repositoryId} ${digest}`;
}

async function loadTags({ db }: Database, ids: readonly number[]): Promise<readonly TagRow[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('tags')
    .selectAll()
    .where('artifact_id', 'in', ids)
    .orderBy('id', 'desc')
    .limit(MAX_TAGS)
    .execute();
}

async function loadLabels(
  { db }: Database,
  ids: readonly number[],
): Promise<readonly (LabelRow & { readonly artifact_id: number })[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('artifact_labels')
    .innerJoin('labels', 'labels.id', 'artifact_labels.label_id')
    .selectAll('labels')
    .select('artifact_labels.artifact_id')
    .where('artifact_labels.artifact_id', 'in', ids)
    .orderBy('labels.id')
    .execute();
}

async function loadReferences({ db }: Database, ids: readonly number[]): Promise<readonly ReferenceRow[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('artifact_references')
    .leftJoin('artifacts', (join) =>
      join
        .onRef('artifacts.repository_id', '=', 'artifact_references.repository_id')
        .onRef('artifacts.digest', '=', 'artifact_references.child_digest'),
    )
    .selectAll('artifact_references')
    .select('artifacts.id as child_id')
    .where('artifact_references.parent_id', 'in', ids)
    .orderBy('artifact_references.parent_id')
    .orderBy('artifact_references.position')
    .execute();
}

async function loadAccessories({ db }: Database, artifacts: readonly ArtifactRow[]): Promise<readonly ArtifactRow[]> {
  if (artifacts.length === 0) return [];
  return db
    .selectFrom('artifacts')
    .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
    .selectAll('artifacts')
    .select('repositories.name as repository')
    .where('artifacts.repository_id', 'in', [...new Set(artifacts.map((artifact) => artifact.repository_id))])
    .where('artifacts.subject_digest', 'in', [...new Set(artifacts.map(({ digest }) => digest))])
    .orderBy('artifacts.id', 'desc')
    .limit(MAX_ACCESSORIES)
    .execute();
}

async function loadInherited(
  database: Database,
  artifacts: readonly ArtifactRow[],
): Promise<ReadonlyMap<number, readonly InheritedAccessory[]>> {
  if (artifacts.length === 0) return new Map();
  const ids = artifacts.map(({ id }) => id);
  const parents = await database.db
    .selectFrom('artifacts as member')
    .innerJoin('artifact_references', (join) =>
      join
        .onRef('artifact_references.repository_id', '=', 'member.repository_id')
        .onRef('artifact_references.child_digest', '=', 'member.digest'),
    )
    .innerJoin('artifacts', 'artifacts.id', 'artifact_references.parent_id')
    .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
    .selectAll('artifacts')
    .select(['repositories.name as repository', 'member.id as member_id'])
    .where('member.id', 'in', ids)
    .orderBy('artifacts.id')
    .execute();
  const accessories = await loadAccessories(database, parents);
  const bySubject = Map.groupBy(accessories, (row) => subjectKey(row.repository_id, row.subject_digest ?? ''));
  const inherited = parents.flatMap((index) =>
    (bySubject.get(subjectKey(index.repository_id, index.digest)) ?? [])
      .filter(({ accessory_type: type }) => type?.startsWith('signature.') === true)
      .map((signature) => ({ index, signature, memberId: index.member_id })),
  );
  return Map.groupBy(inherited, ({ memberId }) => memberId);
}
