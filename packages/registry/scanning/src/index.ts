export { Scanning } from './scanning.ts';
export { scanningRoutes } from './routes/scanning-routes.ts';
export { httpFeeds, requestReevaluation } from './scans/advisory-import-job.ts';
export { SCANNING_METADATA_KEYS } from './gate/vulnerability-policy.ts';
export type {
  PullCredential,
  RegistryAddress,
  ScannedProject,
  ScannedProjects,
  ScannerRobots,
  ScanningDeps,
} from './scanning-deps.ts';
export { resealScannerCredentials } from './scanners/scanner-registrations.ts';
export type { CredentialBox } from './scanners/scanner-registrations.ts';
