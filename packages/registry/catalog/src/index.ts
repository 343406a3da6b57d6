export { SBOM_FORMATS } from './artifact-providers.ts';
export type { ImmutabilityProvider, OverviewProvider, ReportProvider, SbomFormat } from './artifact-providers.ts';
export type { ArtifactSummary } from './artifact-summary.ts';
export { catalogRoutes } from './catalog-routes.ts';
export type { CatalogDeps, CatalogProjects, CatalogStore } from './catalog-services.ts';
export { ProjectRepositoryCounts } from './project-repository-counts.ts';
