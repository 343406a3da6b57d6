export type { InstalledPackage, OperatingSystem, PackageInventory, PackageType } from './package-inventory.ts';
export { takeInventory } from './inventory/take-inventory.ts';
export type { InventoryLimits, LayerSource } from './inventory/take-inventory.ts';
export { ecosystemsOf, matchInventory } from './match-inventory.ts';
export type { AdvisoryLookup, Finding, MatchResult } from './match-inventory.ts';
export { AdvisoryFeeds } from './advisories/advisory-feeds.ts';
export type {
  AdvisoryFeed,
  AdvisoryFeedsDeps,
  AdvisoryStatus,
  FeedImport,
  FetchFeed,
} from './advisories/advisory-feeds.ts';
export type { AdvisoryEvent, PackageAdvisory } from './advisories/advisory.ts';
export type { FeedProgress } from './advisories/read-feed.ts';
export { SEVERITIES, severityOfScore, severityOfWord, severityRank, worse } from './cvss/severity.ts';
export type { Severity } from './cvss/severity.ts';
export { cycloneDxDocument } from './sbom/cyclonedx.ts';
export { spdxDocument } from './sbom/spdx.ts';
export type { SbomSubject } from './sbom/sbom-subject.ts';
