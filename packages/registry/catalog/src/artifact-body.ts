import type { ArtifactRow } from './artifact-catalog.ts';
import { type ArtifactParts, type LabelRow, type ReferenceRow, type TagRow, accessoriesOf } from './artifact-parts.ts';

/** What else is shown of the artifacts of a page. */
export interface ArtifactExtras {
  /** `undefined` when tags are shown without. */
  readonly immutableTags: ReadonlyMap<string, ReadonlySet<string>>;
  readonly scanOverviews: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
  readonly sbomOverviews: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
  /** Where the API is: `/api/v2.0`. */
  readonly prefix: string;
}

/** Go's zero time, which Harbor's clients know as never. */
const NEVER = '0001-01-01T00:00:00.000Z';

const ADDITIONS_BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  IMAGE: ['build_history', 'vulnerabilities', 'sbom'],
  CHART: ['values.yaml', 'readme.md', 'dependencies'],
  CNAI: ['readme.md', 'license', 'files'],
};

/** The artifact in the API's form. */
export function artifactBody(
  artifact: ArtifactRow,
  parts: ArtifactParts,
  extras: ArtifactExtras,
): Record<string, unknown> {
  const tags = parts.tags.get(artifact.id);
  const labels = parts.labels.get(artifact.id);
  const references = parts.references.get(artifact.id);
  const accessories = accessoriesOf(parts, artifact);
  const immutable = extras.immutableTags.get(artifact.repository);
  const scanOverview = extras.scanOverviews.get(artifact.id);
  const sbomOverview = extras.sbomOverviews.get(artifact.id);
  return {
    id: artifact.id,
    type: artifact.type,
    media_type: artifact.media_type,
    manifest_media_type: artifact.manifest_media_type,
    artifact_type: artifact.artifact_type,
    project_id: artifact.project_id,
    repository_id: artifact.repository_id,
    repository_name: artifact.repository,
    digest: artifact.digest,
    size: artifact.size_bytes,
    icon: '',
    push_time: timeText(artifact.pushed_at_ms),
    pull_time: timeText(artifact.pulled_at_ms),
    extra_attrs: JSON.parse(artifact.extra_attrs) as unknown,
    annotations: JSON.parse(artifact.annotations) as unknown,
    references: (references ?? []).map(referenceBody),
    tags: tags?.map((tag) => tagBody(tag, immutable?.has(tag.name) === true)) ?? null,
    labels: labels?.map(labelBody) ?? null,
    accessories: accessories.length === 0 ? null : accessories.map((row) => accessoryBody(row, artifact)),
    ...(parts.inherited === undefined
      ? {}
      : {
          inherited_accessories: (parts.inherited.get(artifact.id) ?? []).map(({ index, signature }) =>
            accessoryBody(signature, index),
          ),
        }),
    addition_links: additionLinks(artifact, extras.prefix),
    ...(scanOverview === undefined ? {} : { scan_overview: scanOverview }),
    ...(sbomOverview === undefined ? {} : { sbom_overview: sbomOverview }),
  };
}

/** The tag in the API's form. */
export function tagBody(tag: TagRow, immutable: boolean): Record<string, unknown> {
  return {
    id: tag.id,
    repository_id: tag.repository_id,
    artifact_id: tag.artifact_id,
    name: tag.name,
    push_time: timeText(tag.pushed_at_ms),
    pull_time: timeText(tag.pulled_at_ms),
    immutable,
  };
}

/** The label in the API's form. */
export function labelBody(label: LabelRow): Record<string, unknown> {
  return {
    id: label.id,
    name: label.name,
    description: label.description,
    color: label.color,
    scope: label.project_id === null ? 'g' : 'p',
    project_id: label.project_id ?? 0,
    creation_time: timeText(label.created_at_ms),
    update_time: timeText(label.updated_at_ms),
  };
}

/** What belongs to another artifact, in the API's form. */
export function accessoryBody(accessory: ArtifactRow, subject: ArtifactRow): Record<string, unknown> {
  return {
    id: accessory.id,
    artifact_id: accessory.id,
    subject_artifact_id: subject.id,
    subject_artifact_digest: subject.digest,
    subject_artifact_repo: subject.repository,
    size: accessory.size_bytes,
    digest: accessory.digest,
    type: accessory.accessory_type ?? 'subject.accessory',
    icon: '',
    creation_time: timeText(accessory.pushed_at_ms),
  };
}

/** The names of the documents that artifacts of a type have. */
export function additionsOf(artifact: ArtifactRow): readonly string[] {
  const additions = ADDITIONS_BY_TYPE[artifact.type] ?? [];
  const isIndex = artifact.media_type === artifact.manifest_media_type;
  return isIndex ? additions.filter((addition) => addition !== 'build_history') : additions;
}

function additionLinks(artifact: ArtifactRow, prefix: string): Record<string, unknown> {
  const [project = '', ...rest] = artifact.repository.split('/');
  const repository = encodeURIComponent(encodeURIComponent(rest.join('/')));
  const base = `${prefix}/projects/${project}/repositories/${repository}/artifacts/${artifact.digest}/additions`;
  const entries = additionsOf(artifact).map((name) => [name, { href: `${base}/${name}`, absolute: false }]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function referenceBody(reference: ReferenceRow): Record<string, unknown> {
  return {
    parent_id: reference.parent_id,
    child_id: reference.child_id ?? 0,
    child_digest: reference.child_digest,
    platform: reference.platform === null ? null : (JSON.parse(reference.platform) as unknown),
    annotations: JSON.parse(reference.annotations) as unknown,
    urls: null,
  };
}

function timeText(timeMs: number | null): string {
  return timeMs === null ? NEVER : new Date(timeMs).toISOString();
}
