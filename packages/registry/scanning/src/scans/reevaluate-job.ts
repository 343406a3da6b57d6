import { describeError } from '@vic/errors';
import type { JobKind } from '@vic/jobs';
import type { AdvisoryLookup, AdvisoryStatus } from '@vic/vulnerabilities';
import { REPORT_COLUMNS, type ScanReport, reportOfRow } from '../reports/scan-report.ts';
import { removeOrphans } from '../reports/vulnerability-records.ts';
import { isDatabaseAway } from '../database-away.ts';
import type { ScanningDeps } from '../scanning-deps.ts';
import { judgeInventory } from './built-in-scan.ts';
import { scanEvent } from './scan-events.ts';
import type { ScanJobParts } from './scan-job.ts';
import { findSubject } from './scan-subject.ts';

/** The kind of the job that brings reports up to date with the advisories, without reading layers again. */
export const REEVALUATE = 'REEVALUATE_REPORTS';

const BATCH = 50;

interface Knowledge {
  readonly advisories: AdvisoryLookup;
  readonly status: AdvisoryStatus;
}

/** Judges every stored inventory again whose report was made with other advisories than those known now. */
export function reevaluateJob(deps: ScanningDeps, parts: ScanJobParts): JobKind {
  return {
    kind: REEVALUATE,
    concurrency: 1,
    run: async (context) => {
      const { signal, log } = context;
      const status = await deps.advisories.status();
      if (status.advisoryCount === 0) {
        log.info('No advisories are known: the reports stay as they are.');
        return;
      }
      await using advisories = await deps.advisories.open();
      let [done, changed, afterId] = [0, 0, 0];
      for (;;) {
        const reports = await nextReports(deps, afterId);
        for (const report of reports) {
          signal.throwIfAborted();
          try {
            if (await reevaluate(deps, parts, report, { advisories, status })) changed++;
          } catch (error) {
            if (isDatabaseAway(error)) throw error;
            log.warn(`Report ${report.uuid} stays as it is: ${describeError(error)}`);
          }
          done++;
        }
        afterId = reports.at(-1)?.id ?? afterId;
        context.progress(0, `${done} reports judged again`);
        if (reports.length < BATCH) break;
      }
      await removeOrphans(deps.database.db);
      log.info(`${done} reports judged again, ${changed} with another result.`);
    },
  };
}

/** Reports of our own scanner that have ended, those that failed for want of advisories included. */
async function nextReports({ database }: ScanningDeps, afterId: number): Promise<readonly ScanReport[]> {
  const rows = await database.db
    .selectFrom('scan_reports')
    .innerJoin('scanner_registrations', 'scanner_registrations.id', 'scan_reports.registration_id')
    .select([...REPORT_COLUMNS])
    .where('scanner_registrations.kind', '=', 'builtin')
    .where('scan_reports.scan_type', '=', 'vulnerability')
    .where('scan_reports.status', 'in', ['Success', 'Error'])
    .where('scan_reports.id', '>', afterId)
    .orderBy('scan_reports.id')
    .limit(BATCH)
    .execute();
  return rows.map(reportOfRow);
}

/** Gives whether the result is another than before. */
async function reevaluate(
  deps: ScanningDeps,
  { registrations, access, reports, inventories }: ScanJobParts,
  report: ScanReport,
  knowledge: Knowledge,
): Promise<boolean> {
  const subject = await findSubject(deps.database.db, report.artifactId);
  const registration = await registrations.findById(report.registrationId);
  if (subject === undefined || registration === undefined) return false;
  const inventory = await inventories.find(subject.digest);
  if (inventory === undefined) return false;
  const { scanner } = await access.metadata(registration);
  const nowMs = (deps.now ?? Date.now)();
  const result = await judgeInventory(subject, inventory, { ...knowledge, scanner, nowMs });
  const { severity, total, fixable, bySeverity } = result.summary;
  return deps.database.transaction(async (transaction) => {
    // A scan that was begun meanwhile makes its own report.
    const current = await transaction
      .selectFrom('scan_reports')
      .select('status')
      .where('id', '=', report.id)
      .where('uuid', '=', report.uuid)
      .executeTakeFirst();
    if (current === undefined || current.status !== report.status) return false;
    await reports.complete(transaction, report, result);
    const same = report.status === 'Success' && report.severity === severity && report.total === total;
    if (same && report.fixable === fixable) return false;
    const end = {
      type: 'scan.completed',
      operator: 'advisories',
      scanner: scanner.name,
      scanType: 'vulnerability',
      status: 'Success',
      severity,
      summary: { ...bySeverity, total },
    } as const;
    await deps.appendEvent(transaction, await scanEvent(transaction, subject, end));
    return true;
  });
}
