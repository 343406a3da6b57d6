import { VicError, isVicError } from '@vic/errors';
import type { Executor } from '@vic/sql';
import { type ScanReport, isOngoing } from '../reports/scan-report.ts';
import type { ScanReports } from '../reports/scan-reports.ts';
import type { ScannerAccess } from '../scanners/scanner-access.ts';
import { MIME, type ScanType, type ScannerMetadata, capabilityFor } from '../scanners/scanner-metadata.ts';
import type { ScannerRegistration } from '../scanners/scanner-registration.ts';
import type { ScannerRegistrations } from '../scanners/scanner-registrations.ts';
import type { ScanningDeps } from '../scanning-deps.ts';
import { scanEvent } from './scan-events.ts';
import { type ScanSubject, findSubject, membersOf } from './scan-subject.ts';

/** The kind of the job that scans one image; its payload is a {@link ScanPayload}. */
export const IMAGE_SCAN = 'IMAGE_SCAN';

/** What a scan job is given. */
export interface ScanPayload {
  readonly reportId: number;
  readonly artifactId: number;
  readonly tag: string;
  readonly operator: string;
}

/** Who wants a scan, and how. */
export interface ScanRequest {
  readonly scanType: ScanType;
  readonly operator: string;
  /** The tag the artifact was named by. */
  readonly tag?: string;
  /** The execution (a scan of everything) whose tasks the scans are. */
  readonly executionId?: number;
}

/** Begins and stops scans, and tells what can be scanned. */
export class Scans {
  readonly #deps: Pick<ScanningDeps, 'database' | 'jobs' | 'appendEvent'>;
  readonly #registrations: ScannerRegistrations;
  readonly #access: ScannerAccess;
  readonly #reports: ScanReports;

  constructor(
    deps: Pick<ScanningDeps, 'database' | 'jobs' | 'appendEvent'>,
    parts: {
      readonly registrations: ScannerRegistrations;
      readonly access: ScannerAccess;
      readonly reports: ScanReports;
    },
  ) {
    this.#deps = deps;
    this.#registrations = parts.registrations;
    this.#access = parts.access;
    this.#reports = parts.reports;
  }

  /** Queues the scan of an image, or of every member of an index. */
  async request(subject: ScanSubject, wanted: ScanRequest): Promise<void> {
    const registration = await this.#registrations.ofProject(subject.projectId);
    if (registration === undefined) throw refused(`no available scanner for project: ${subject.projectId}`);
    if (registration.disabled) throw refused(`scanner ${registration.name} is deactivated`);
    const metadata = await this.#access.metadata(registration);
    const candidates = (await this.#candidates(subject)).filter((candidate) =>
      isScannable(candidate, metadata, wanted.scanType),
    );
    if (candidates.length === 0) throw cannotScan(registration, subject);
    const outcomes = await Promise.allSettled(
      candidates.map(async (candidate) => this.#queue(candidate, registration, metadata, wanted)),
    );
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    const serious = failures.find((failure) => !isVicError(failure, { class: 'Conflict' }));
    if (serious !== undefined) throw serious;
    if (failures.length === candidates.length) throw failures[0];
  }

  /** Ends the scans of an image, or of the members of an index. */
  async stop(subject: ScanSubject, scanType: ScanType, operator: string): Promise<void> {
    const registration = await this.#registrations.ofProject(subject.projectId);
    const subjects = await this.#candidates(subject);
    const reports =
      registration === undefined
        ? []
        : await this.#reports.list(
            subjects.map(({ id }) => id),
            registration.id,
            scanType,
          );
    if (reports.length === 0) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'SCAN_NONE',
        message: `no scan job for artifact digest=${subject.digest}`,
      });
    }
    for (const report of reports.filter(isOngoing)) {
      if (report.jobId !== undefined) await this.#deps.jobs.stopJob(report.jobId);
      // One that had not begun ends here; one under way tells of its end itself.
      if (report.status === 'Pending') await this.recordStop(report, operator);
    }
  }

  /** Writes down, and tells, that a scan was stopped before it began. */
  async recordStop(report: ScanReport, operator: string, transaction?: Executor): Promise<void> {
    const body = async (db: Executor): Promise<void> => {
      if (!(await this.#reports.end(db, report.id, 'Stopped'))) return;
      const subject = await findSubject(db, report.artifactId);
      if (subject === undefined) return;
      const scanner = report.scanner?.name ?? '';
      const end = { type: 'scan.stopped', operator, scanner, scanType: report.scanType, status: 'Stopped' } as const;
      await this.#deps.appendEvent(db, await scanEvent(db, subject, end));
    };
    await (transaction === undefined ? this.#deps.database.transaction(body) : body(transaction));
  }

  /** Whether the project's scanner can look into the artifact or a member of it. */
  async canScan(subject: ScanSubject): Promise<boolean> {
    const registration = await this.#registrations.ofProject(subject.projectId);
    if (registration === undefined) return false;
    const metadata = await this.#access.metadata(registration);
    return (await this.#candidates(subject)).some((candidate) => isScannable(candidate, metadata, 'vulnerability'));
  }

  /** The artifact itself, or the members when it is an index. */
  async #candidates(subject: ScanSubject): Promise<readonly ScanSubject[]> {
    const members = await membersOf(this.#deps.database.db, [subject.id]);
    return members.get(subject.id) ?? [subject];
  }

  async #queue(
    subject: ScanSubject,
    registration: ScannerRegistration,
    metadata: ScannerMetadata,
    wanted: ScanRequest,
  ): Promise<void> {
    const { scanType, operator, executionId } = wanted;
    const mimeType = reportTypeOf(subject, metadata, scanType);
    await this.#deps.database.transaction(async (transaction) => {
      const key = { artifactId: subject.id, registrationId: registration.id, scanType };
      const reportId = await this.#reports.begin(transaction, key, mimeType);
      const payload: ScanPayload = { reportId, artifactId: subject.id, tag: wanted.tag ?? '', operator };
      const job = {
        kind: IMAGE_SCAN,
        payload: { ...payload },
        attributes: { repository: subject.repository, digest: subject.digest, scan_type: scanType },
        activeKey: `scan ${scanType} ${registration.id} ${subject.id}`,
      };
      const [jobId = 0] =
        executionId === undefined
          ? [await this.#deps.jobs.enqueue(job, transaction).catch(ongoing)]
          : await this.#deps.jobs.addTasks(executionId, [job], transaction).catch(ongoing);
      await this.#reports.assign(transaction, reportId, jobId);
    });
  }
}

function isScannable(subject: ScanSubject, metadata: ScannerMetadata, scanType: ScanType): boolean {
  const isImage = subject.type === 'IMAGE' && !subject.isAccessory;
  return isImage && capabilityFor(metadata, scanType, subject.manifestMediaType) !== undefined;
}

/** The newest type of report the scanner makes. */
function reportTypeOf(subject: ScanSubject, metadata: ScannerMetadata, scanType: ScanType): string {
  const produces = capabilityFor(metadata, scanType, subject.manifestMediaType)?.produces ?? [];
  if (scanType === 'sbom') return MIME.sbomReport;
  return produces.includes(MIME.report) ? MIME.report : MIME.nativeReport;
}

/** Harbor's words for a scan that is asked for while there is one. */
function ongoing(error: unknown): never {
  if (!isVicError(error, { code: 'JOB_ACTIVE' })) throw error;
  throw new VicError({
    class: 'Conflict',
    code: 'SCAN_ONGOING',
    message: 'a previous scan process is Running',
    cause: error,
  });
}

function refused(message: string): VicError {
  return new VicError({ class: 'FailedPrecondition', code: 'SCANNER_UNAVAILABLE', message });
}

function cannotScan({ name }: ScannerRegistration, { manifestMediaType }: ScanSubject): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SCAN_UNSUPPORTED',
    message: `the configured scanner ${name} does not support scanning artifact with mime type ${manifestMediaType}`,
  });
}
