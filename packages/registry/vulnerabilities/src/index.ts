export type { InstalledPackage, OperatingSystem, PackageInventory, PackageType } from './package-inventory.ts';
export { SEVERITIES, severityOfScore, severityOfWord, severityRank, worse } from './cvss/severity.ts';
export type { Severity } from './cvss/severity.ts';
export { cvss3BaseScore } from './cvss/cvss3.ts';
export { cvss4BaseScore } from './cvss/cvss4.ts';
export { versionOrderOf } from './versions/compare-versions.ts';
export type { VersionOrder } from './versions/compare-versions.ts';
