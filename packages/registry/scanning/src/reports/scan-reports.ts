import { randomUuid } from '@vic/ids';
import type { Database, Executor } from '@vic/sql';
import { severityRank } from '@vic/vulnerabilities';
import type { ScannerIdentity, ScanType } from '../scanners/scanner-metadata.ts';
import { REPORT_COLUMNS, type ScanReport, type ScanStatus, reportOfRow } from './scan-report.ts';
import type { ReportSummary, VulnerabilityItem } from './vulnerability-item.ts';
import { replaceVulnerabilities } from './vulnerability-records.ts';

/** Which report. */
export interface ReportKey {
  readonly artifactId: number;
  readonly registrationId: number;
  readonly scanType: ScanType;
}

/** What a scan for vulnerabilities found. */
export interface VulnerabilityResult {
  readonly scanner: ScannerIdentity;
  readonly items: readonly VulnerabilityItem[];
  readonly summary: ReportSummary;
  /** The scanner's own document. */
  readonly raw: string;
  readonly database?: { readonly count: number; readonly modifiedAtMs: number | undefined };
}

const NOTHING = {
  severity: 'Unknown',
  severity_rank: severityRank('Unknown'),
  total: 0,
  fixable: 0,
  summary: '{}',
} as const;

/** The reports of scans. */
export class ScanReports {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(deps: { readonly database: Database; readonly now?: () => number }) {
    this.#database = deps.database;
    this.#now = deps.now ?? Date.now;
  }

  /** The report that a scan about to be queued will fill, in place of the one there was; gives its id. */
  async begin(transaction: Executor, key: ReportKey, mimeType: string): Promise<number> {
    const values = {
      uuid: randomUuid(),
      mime_type: mimeType,
      status: 'Pending',
      job_id: null,
      scanner: 'null',
      database_at_ms: null,
      database_count: null,
      raw: null,
      error: null,
      created_at_ms: this.#now(),
      started_at_ms: null,
      ended_at_ms: null,
      ...NOTHING,
    };
    const { id } = await transaction
      .insertInto('scan_reports')
      .values({
        artifact_id: key.artifactId,
        registration_id: key.registrationId,
        scan_type: key.scanType,
        sbom_digest: null,
        ...values,
      })
      .onConflict((conflict) => conflict.columns(['artifact_id', 'registration_id', 'scan_type']).doUpdateSet(values))
      .returning('id')
      .executeTakeFirstOrThrow();
    await transaction.deleteFrom('report_vulnerabilities').where('report_id', '=', id).execute();
    return id;
  }

  /** Says which job fills a report. */
  async assign(transaction: Executor, id: number, jobId: number): Promise<void> {
    await transaction.updateTable('scan_reports').set({ job_id: jobId }).where('id', '=', id).execute();
  }

  /** The scan has begun, or begun again; gives whether it may: one that was stopped just before has ended. */
  async start(id: number): Promise<boolean> {
    const result = await this.#database.db
      .updateTable('scan_reports')
      .set({ status: 'Running', started_at_ms: this.#now() })
      .where('id', '=', id)
      .where('status', 'in', ['Pending', 'Running'])
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** The scan has found what there is. */
  async complete(transaction: Executor, report: ScanReport, result: VulnerabilityResult): Promise<void> {
    const { summary } = result;
    await transaction
      .updateTable('scan_reports')
      .set({
        status: 'Success',
        severity: summary.severity,
        severity_rank: severityRank(summary.severity),
        total: summary.total,
        fixable: summary.fixable,
        summary: JSON.stringify(summary.bySeverity),
        scanner: JSON.stringify(result.scanner),
        raw: result.raw,
        database_count: result.database?.count ?? null,
        database_at_ms: result.database?.modifiedAtMs ?? null,
        error: null,
        ended_at_ms: this.#now(),
      })
      .where('id', '=', report.id)
      .execute();
    await replaceVulnerabilities(transaction, report, result.items, this.#now());
  }

  /** The SBOM is made and stored under that digest. */
  async completeSbom(transaction: Executor, id: number, scanner: ScannerIdentity, digest: string): Promise<void> {
    await transaction
      .updateTable('scan_reports')
      .set({
        status: 'Success',
        scanner: JSON.stringify(scanner),
        sbom_digest: digest,
        error: null,
        ended_at_ms: this.#now(),
      })
      .where('id', '=', id)
      .execute();
  }

  /** The scan ended without a report; nothing changes when it has ended already. Gives whether it changed. */
  async end(transaction: Executor, id: number, status: 'Error' | 'Stopped', error?: string): Promise<boolean> {
    const result = await transaction
      .updateTable('scan_reports')
      .set({ status, error: error ?? null, ended_at_ms: this.#now() })
      .where('id', '=', id)
      .where('status', 'in', ['Pending', 'Running'])
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** The report with that id. */
  async findById(id: number): Promise<ScanReport | undefined> {
    return (await this.#query().where('id', '=', id).execute()).map(reportOfRow)[0];
  }

  /** The report with that UUID. */
  async findByUuid(uuid: string): Promise<ScanReport | undefined> {
    return (await this.#query().where('uuid', '=', uuid).execute()).map(reportOfRow)[0];
  }

  /** The reports of one kind on these artifacts by one scanner. */
  async list(
    artifactIds: readonly number[],
    registrationId: number,
    scanType: ScanType,
  ): Promise<readonly ScanReport[]> {
    if (artifactIds.length === 0) return [];
    const rows = await this.#query()
      .where('artifact_id', 'in', artifactIds)
      .where('registration_id', '=', registrationId)
      .where('scan_type', '=', scanType)
      .execute();
    return rows.map(reportOfRow);
  }

  /** The scanner's own document of a report. */
  async raw(id: number): Promise<string | undefined> {
    const row = await this.#database.db
      .selectFrom('scan_reports')
      .select('raw')
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.raw ?? undefined;
  }

  #query() {
    return this.#database.db.selectFrom('scan_reports').select([...REPORT_COLUMNS]);
  }
}

/** The one status of several scans: under way as long as one is, a success as soon as one was. */
export function mergeStatuses(statuses: readonly ScanStatus[]): ScanStatus {
  const order: readonly ScanStatus[] = ['Running', 'Pending', 'Success', 'Error', 'Stopped'];
  const merged = order.find((status) => statuses.includes(status)) ?? 'Pending';
  return merged === 'Pending' && statuses.some((status) => status !== 'Pending') ? 'Running' : merged;
}
