/** An artifact as providers of further facts need to know it. */
export interface ArtifactSummary {
  readonly id: number;
  readonly projectId: number;
  readonly repositoryId: number;
  /** With the project: `library/busybox`. */
  readonly repository: string;
  readonly digest: string;
  /** `IMAGE`, `CHART`, `SBOM` … */
  readonly type: string;
  readonly manifestMediaType: string;
}
