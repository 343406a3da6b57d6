import type { Generated } from 'kysely';

/** The tables of `scanning`. */
export interface ScanningTables {
  scanner_registrations: ScannerRegistrationTable;
  project_scanners: ProjectScannerTable;
  scan_reports: ScanReportTable;
  vulnerability_records: VulnerabilityRecordTable;
  report_vulnerabilities: ReportVulnerabilityTable;
  image_inventories: ImageInventoryTable;
  advisory_feeds: AdvisoryFeedTable;
  scan_exports: ScanExportTable;
}

/** One scanner that may be chosen. */
export interface ScannerRegistrationTable {
  id: Generated<number>;
  uuid: string;
  name: string;
  description: string;
  url: string;
  /** `builtin` or `adapter`. */
  kind: string;
  /** Empty, `Basic`, `Bearer` or `X-ScannerAdapter-API-Key`. */
  auth: string;
  /** Sealed. */
  credential: string | null;
  skip_cert_verify: number;
  use_internal_address: number;
  disabled: number;
  is_default: number;
  created_at_ms: number;
  updated_at_ms: number;
}

/** The scanner a project chose instead of the default. */
export interface ProjectScannerTable {
  project_id: number;
  registration_id: number;
}

/** The latest report of one scanner on one artifact. */
export interface ScanReportTable {
  id: Generated<number>;
  uuid: string;
  artifact_id: number;
  registration_id: number;
  /** `vulnerability` or `sbom`. */
  scan_type: string;
  mime_type: string;
  /** `Pending`, `Running`, `Success`, `Error` or `Stopped`. */
  status: string;
  severity: string;
  severity_rank: number;
  total: number;
  fixable: number;
  /** JSON: counts by severity. */
  summary: string;
  /** JSON: name, vendor and version. */
  scanner: string;
  /** The job that makes the report; its log is the scan's log. */
  job_id: number | null;
  /** When the newest advisory known at the time was changed; `null` when unknown or none. */
  database_at_ms: number | null;
  /** How many advisories were known at the time; `null` for other scanners than ours. */
  database_count: number | null;
  /** JSON: the scanner's own document. */
  raw: string | null;
  /** Digest of the accessory that holds the SBOM. */
  sbom_digest: string | null;
  error: string | null;
  created_at_ms: number;
  started_at_ms: number | null;
  ended_at_ms: number | null;
}

/** One vulnerability of one version of a package, as one scanner tells it; shared by reports. */
export interface VulnerabilityRecordTable {
  id: Generated<number>;
  registration_id: number;
  cve_id: string;
  package: string;
  version: string;
  package_type: string;
  fix_version: string;
  severity: string;
  severity_rank: number;
  cvss3_score: number | null;
  cvss3_vector: string;
  status: string;
  description: string;
  /** JSON. */
  links: string;
  /** Separated by commas. */
  cwe_ids: string;
  /** JSON. */
  vendor_attributes: string;
  /** When this registry first heard of it: the start of its grace period. */
  first_seen_at_ms: number;
}

/** Which vulnerabilities a report holds. */
export interface ReportVulnerabilityTable {
  report_id: number;
  record_id: number;
}

/** The packages of an image, kept so that new advisories can be matched without reading layers again. */
export interface ImageInventoryTable {
  /** The manifest's digest. */
  digest: string;
  /** JSON of the inventory. */
  document: string;
  package_count: number;
  created_at_ms: number;
}

/** One imported set of advisories. */
export interface AdvisoryFeedTable {
  id: Generated<number>;
  name: string;
  /** The path or URL it was imported from. */
  source: string;
  /** Name of the indexed file; changes with each import. */
  file: string;
  /** JSON: the ecosystems it speaks of. */
  ecosystems: string;
  advisory_count: number;
  package_count: number;
  size_bytes: number;
  /** When its newest advisory was changed. */
  modified_at_ms: number | null;
  imported_at_ms: number;
  /** Validator of the URL, to skip what did not change. */
  etag: string | null;
}

/** The content of one CSV export, kept until it is downloaded. */
export interface ScanExportTable {
  execution_id: number;
  user_name: string;
  content: string;
  digest: string;
  created_at_ms: number;
}
