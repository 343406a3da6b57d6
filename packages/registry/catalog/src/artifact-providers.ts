import type { ArtifactSummary } from './artifact-summary.ts';

/** What scanning tells about artifacts; each answer is keyed by the artifact's id, without those it knows nothing of. */
export interface OverviewProvider {
  /** `scan_overview` by report MIME type, in Harbor's form, for the report types the client accepts. */
  scanOverviews(
    artifacts: readonly ArtifactSummary[],
    acceptedReports: readonly string[],
  ): Promise<ReadonlyMap<number, Readonly<Record<string, unknown>>>>;
  /** `sbom_overview` in Harbor's form. */
  sbomOverviews(artifacts: readonly ArtifactSummary[]): Promise<ReadonlyMap<number, Readonly<Record<string, unknown>>>>;
}

/** The forms in which SBOMs can be asked for. */
export const SBOM_FORMATS = ['spdx', 'cyclonedx'] as const;

/** A form of an SBOM. */
export type SbomFormat = (typeof SBOM_FORMATS)[number];

/** Documents about one artifact; `undefined` when there is none (yet). */
export interface ReportProvider {
  /** The body of `additions/vulnerabilities`: report MIME type to report. */
  vulnerabilities(
    artifact: ArtifactSummary,
    acceptedReports: readonly string[],
  ): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The body of `additions/sbom`: the document that was made, or the one in the form asked for. */
  sbom(artifact: ArtifactSummary, format?: SbomFormat): Promise<unknown>;
}

/** Whether tags are immutable; implemented by policies. */
export interface ImmutabilityProvider {
  /** Those of the tags of `repository` (with its project) that are immutable. */
  immutableTags(projectId: number, repository: string, tags: readonly string[]): Promise<ReadonlySet<string>>;
}
