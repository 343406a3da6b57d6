import { type HttpRequest, Type } from '@vic/http';
import { type ArtifactExtras, artifactBody } from './artifact-body.ts';
import type { ArtifactRow } from './artifact-catalog.ts';
import { type ArtifactParts, loadParts } from './artifact-parts.ts';
import type { ArtifactSummary } from './artifact-summary.ts';
import type { CatalogDeps } from './catalog-services.ts';

const Flag = Type.Optional(Type.Union([Type.Boolean(), Type.Literal('')]));

/** The parameters that say what is shown of artifacts. */
export const ARTIFACT_VIEW = {
  with_tag: Flag,
  with_label: Flag,
  with_scan_overview: Flag,
  with_sbom_overview: Flag,
  with_accessory: Flag,
  with_inherited_accessory: Flag,
  with_immutable_status: Flag,
};

/** What is shown of artifacts. */
export interface ArtifactView {
  readonly with_tag?: boolean | '' | undefined;
  readonly with_label?: boolean | '' | undefined;
  readonly with_scan_overview?: boolean | '' | undefined;
  readonly with_sbom_overview?: boolean | '' | undefined;
  readonly with_accessory?: boolean | '' | undefined;
  readonly with_inherited_accessory?: boolean | '' | undefined;
  readonly with_immutable_status?: boolean | '' | undefined;
}

/** What a report is when the client does not say. */
const DEFAULT_REPORT = 'application/vnd.security.vulnerability.report; version=1.1';
const MAX_REPORT_TYPES = 10;

/** Shows artifacts as Harbor's API does. */
export class ArtifactPresenter {
  readonly #deps: CatalogDeps;
  readonly #prefix: string;

  /** `prefix` is where the API is, for links. */
  constructor(deps: CatalogDeps, prefix: string) {
    this.#deps = deps;
    this.#prefix = prefix;
  }

  /** The bodies of artifacts, with tags and accessories unless the view says otherwise. */
  async bodies(
    artifacts: readonly ArtifactRow[],
    view: ArtifactView,
    acceptedReports: readonly string[],
  ): Promise<readonly Record<string, unknown>[]> {
    const parts = await loadParts(this.#deps.database, artifacts, {
      tags: view.with_tag !== false,
      labels: view.with_label === true,
      accessories: view.with_accessory !== false,
      inheritedAccessories: view.with_inherited_accessory === true,
    });
    const extras = await this.#extras(artifacts, parts, { view, acceptedReports });
    return artifacts.map((artifact) => artifactBody(artifact, parts, extras));
  }

  async #extras(
    artifacts: readonly ArtifactRow[],
    parts: ArtifactParts,
    asked: { readonly view: ArtifactView; readonly acceptedReports: readonly string[] },
  ): Promise<ArtifactExtras> {
    const summaries = artifacts.map(summaryOf);
    const { overviews } = this.#deps;
    const { view, acceptedReports } = asked;
    const [immutableTags, scanOverviews, sbomOverviews] = await Promise.all([
      view.with_immutable_status === true ? this.#immutableTags(artifacts, parts) : new Map(),
      view.with_scan_overview === true ? overviews?.scanOverviews(summaries, acceptedReports) : undefined,
      view.with_sbom_overview === true ? overviews?.sbomOverviews(summaries) : undefined,
    ]);
    return {
      immutableTags,
      scanOverviews: scanOverviews ?? new Map(),
      sbomOverviews: sbomOverviews ?? new Map(),
      prefix: this.#prefix,
    };
  }

  async #immutableTags(
    artifacts: readonly ArtifactRow[],
    parts: ArtifactParts,
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const immutable = new Map<string, ReadonlySet<string>>();
    if (this.#deps.immutability === undefined) return immutable;
    for (const [repository, rows] of Map.groupBy(artifacts, (row) => row.repository)) {
      const tags = rows.flatMap(({ id }) => parts.tags.get(id) ?? []).map(({ name }) => name);
      const projectId = rows[0]?.project_id ?? 0;
      immutable.set(repository, await this.#deps.immutability.immutableTags(projectId, repository, tags));
    }
    return immutable;
  }
}

/** The artifact as providers of further facts need to know it. */
export function summaryOf(artifact: ArtifactRow): ArtifactSummary {
  return {
    id: artifact.id,
    projectId: artifact.project_id,
    repositoryId: artifact.repository_id,
    repository: artifact.repository,
    digest: artifact.digest,
    type: artifact.type,
    manifestMediaType: artifact.manifest_media_type,
  };
}

/** The report types that `X-Accept-Vulnerabilities` names, best first. */
export function acceptedReportsOf(request: HttpRequest): readonly string[] {
  const header = request.headers['x-accept-vulnerabilities'];
  const types = typeof header === 'string' ? header.split(',').map((type) => type.trim()) : [];
  const named = types.filter((type) => type !== '' && type.length <= 255).slice(0, MAX_REPORT_TYPES);
  return named.length === 0 ? [DEFAULT_REPORT] : named;
}
