import { SEVERITIES, type Severity, severityRank, worse } from '@vic/vulnerabilities';
import { type ScanReport, isOngoing } from './scan-report.ts';
import { mergeStatuses } from './scan-reports.ts';
import { type VulnerabilityItem, itemBody } from './vulnerability-item.ts';

/** What is between the ids of the reports that one overview is made of. */
const ID_SEPARATOR = '|';

/** The one id of several reports, as Harbor makes it. */
function mergedReportId(reports: readonly ScanReport[]): string {
  if (reports.length === 1) return reports[0]?.uuid ?? '';
  return Buffer.from(reports.map(({ uuid }) => uuid).join(ID_SEPARATOR)).toString('base64');
}

/** The UUIDs of the reports that an id stands for. */
export function reportUuids(id: string): readonly string[] {
  if (/^[0-9a-f-]{36}$/.test(id)) return [id];
  return Buffer.from(id, 'base64').toString('latin1').split(ID_SEPARATOR).slice(0, 1000);
}

/** Harbor's `scan_overview` of one artifact: of its report, or of those of the members of an index. */
export function overviewBody(reports: readonly ScanReport[]): Readonly<Record<string, unknown>> {
  const ended = reports.filter((report) => !isOngoing(report));
  const status = mergeStatuses(reports.map((report) => report.status));
  const bySeverity = countSeverities(reports);
  const database = reports.find((report) => report.database !== undefined)?.database;
  return {
    report_id: mergedReportId(reports),
    scan_status: status,
    severity: reports.reduce<Severity>((worst, report) => worse(worst, report.severity), 'None'),
    ...timesBody(reports),
    summary: {
      total: sum(reports, ({ total }) => total),
      fixable: sum(reports, ({ fixable }) => fixable),
      summary: bySeverity,
    },
    scanner: reports.find((report) => report.scanner !== undefined)?.scanner ?? null,
    complete_percent: Math.floor((100 * ended.length) / reports.length),
    ...(database === undefined
      ? {}
      : {
          database: {
            advisory_count: database.count,
            modified_at: database.modifiedAtMs === undefined ? null : new Date(database.modifiedAtMs).toISOString(),
          },
        }),
    ...errorBody(reports),
  };
}

/** Harbor's `sbom_overview` of one artifact. */
export function sbomOverviewBody(reports: readonly ScanReport[]): Readonly<Record<string, unknown>> {
  return {
    report_id: mergedReportId(reports),
    scan_status: mergeStatuses(reports.map((report) => report.status)),
    ...timesBody(reports),
    sbom_digest: reports.find((report) => report.sbomDigest !== undefined)?.sbomDigest ?? '',
    scanner: reports.find((report) => report.scanner !== undefined)?.scanner ?? null,
    ...errorBody(reports),
  };
}

/** Harbor's report of vulnerabilities, made from those that are stored. */
export function reportBody(
  reports: readonly ScanReport[],
  items: readonly VulnerabilityItem[],
): Readonly<Record<string, unknown>> {
  const generatedAtMs = Math.max(...reports.map((report) => report.endedAtMs ?? report.createdAtMs));
  return {
    generated_at: new Date(generatedAtMs).toISOString(),
    scanner: reports.find((report) => report.scanner !== undefined)?.scanner ?? null,
    severity: reports.reduce<Severity>((worst, report) => worse(worst, report.severity), 'None'),
    vulnerabilities: items.map(itemBody),
  };
}

function timesBody(reports: readonly ScanReport[]): Readonly<Record<string, unknown>> {
  const startedAtMs = Math.min(...reports.map((report) => report.startedAtMs ?? report.createdAtMs));
  const endedAtMs = Math.max(...reports.map((report) => report.endedAtMs ?? startedAtMs));
  return {
    start_time: new Date(startedAtMs).toISOString(),
    end_time: new Date(endedAtMs).toISOString(),
    duration: Math.round((endedAtMs - startedAtMs) / 1000),
  };
}

function errorBody(reports: readonly ScanReport[]): Readonly<Record<string, unknown>> {
  const error = reports.find((report) => report.error !== undefined)?.error;
  return error === undefined ? {} : { error };
}

function countSeverities(reports: readonly ScanReport[]): Readonly<Record<string, number>> {
  const counted = SEVERITIES.toSorted((a, b) => severityRank(b) - severityRank(a)).map(
    (severity) => [severity, sum(reports, ({ bySeverity }) => bySeverity[severity] ?? 0)] as const,
  );
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

function sum(reports: readonly ScanReport[], count: (report: ScanReport) => number): number {
  return reports.reduce((total, report) => total + count(report), 0);
}
