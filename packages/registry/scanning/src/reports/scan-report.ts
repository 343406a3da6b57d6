import type { Schema, Selectable } from '@vic/sql';
import type { Severity } from '@vic/vulnerabilities';
import type { ScannerIdentity, ScanType } from '../scanners/scanner-metadata.ts';

/** Where a scan is in its life. */
export type ScanStatus = 'Pending' | 'Running' | 'Success' | 'Error' | 'Stopped';

/** The latest report of one scanner on one artifact. */
export interface ScanReport {
  readonly id: number;
  readonly uuid: string;
  readonly artifactId: number;
  readonly registrationId: number;
  readonly scanType: ScanType;
  readonly mimeType: string;
  readonly status: ScanStatus;
  readonly severity: Severity;
  readonly total: number;
  readonly fixable: number;
  readonly bySeverity: Readonly<Record<string, number>>;
  readonly scanner: ScannerIdentity | undefined;
  readonly jobId: number | undefined;
  /** What the built-in scanner knew at the time. */
  readonly database: { readonly count: number; readonly modifiedAtMs: number | undefined } | undefined;
  readonly sbomDigest: string | undefined;
  readonly error: string | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

/** The columns of a report but for its documents, which may be large. */
export const REPORT_COLUMNS = [
  'scan_reports.id',
  'scan_reports.uuid',
  'scan_reports.artifact_id',
  'scan_reports.registration_id',
  'scan_reports.scan_type',
  'scan_reports.mime_type',
  'scan_reports.status',
  'scan_reports.severity',
  'scan_reports.total',
  'scan_reports.fixable',
  'scan_reports.summary',
  'scan_reports.scanner',
  'scan_reports.job_id',
  'scan_reports.database_at_ms',
  'scan_reports.database_count',
  'scan_reports.sbom_digest',
  'scan_reports.error',
  'scan_reports.created_at_ms',
  'scan_reports.started_at_ms',
  'scan_reports.ended_at_ms',
] as const;

/** The report of a row. */
export function reportOfRow(row: Omit<Selectable<Schema['scan_reports']>, 'raw' | 'severity_rank'>): ScanReport {
  const scanner = JSON.parse(row.scanner) as ScannerIdentity | null;
  return {
    id: row.id,
    uuid: row.uuid,
    artifactId: row.artifact_id,
    registrationId: row.registration_id,
    scanType: row.scan_type === 'sbom' ? 'sbom' : 'vulnerability',
    mimeType: row.mime_type,
    status: row.status as ScanStatus,
    severity: row.severity as Severity,
    total: row.total,
    fixable: row.fixable,
    bySeverity: JSON.parse(row.summary) as Record<string, number>,
    scanner: scanner ?? undefined,
    jobId: row.job_id ?? undefined,
    database:
      row.database_count === null
        ? undefined
        : { count: row.database_count, modifiedAtMs: row.database_at_ms ?? undefined },
    sbomDigest: row.sbom_digest ?? undefined,
    error: row.error ?? undefined,
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms ?? undefined,
    endedAtMs: row.ended_at_ms ?? undefined,
  };
}

/** Whether a scan is still to come or under way. */
export function isOngoing({ status }: { readonly status: ScanStatus }): boolean {
  return status === 'Pending' || status === 'Running';
}
