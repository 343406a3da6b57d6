export type { ImmutabilityProvider, OverviewProvider, ReportProvider } from './artifact-providers.ts';
export type { ArtifactSummary } from './artifact-summary.ts';
