import { VicError, describeError, isVicError } from '@vic/errors';
import type { JobContext, JobKind } from '@vic/jobs';
import { spdxDocument } from '@vic/vulnerabilities';
import type { ScanReport } from '../reports/scan-report.ts';
import type { ScanReports, VulnerabilityResult } from '../reports/scan-reports.ts';
import { itemsOfDocument, summarize } from '../reports/vulnerability-item.ts';
import type { ScannerAccess } from '../scanners/scanner-access.ts';
import type { ScannerMetadata } from '../scanners/scanner-metadata.ts';
import type { ScannerRegistration } from '../scanners/scanner-registration.ts';
import type { ScannerRegistrations } from '../scanners/scanner-registrations.ts';
import type { ScannedProject, ScanningDeps } from '../scanning-deps.ts';
import { judgeInventory } from './built-in-scan.ts';
import type { ImageInventories } from './image-inventories.ts';
import { storeSbom } from './sbom-accessory.ts';
import { type ScanEnd, scanEvent } from './scan-events.ts';
import { type ScanSubject, findSubject } from './scan-subject.ts';
import { IMAGE_SCAN, type ScanPayload } from './scans.ts';

/** The parts of scanning a job works with. */
export interface ScanJobParts {
  readonly registrations: ScannerRegistrations;
  readonly access: ScannerAccess;
  readonly reports: ScanReports;
  readonly inventories: ImageInventories;
}

interface Scan {
  readonly report: ScanReport;
  readonly subject: ScanSubject;
  readonly project: ScannedProject;
  readonly registration: ScannerRegistration;
  readonly metadata: ScannerMetadata;
  readonly payload: ScanPayload;
}

/** Reading layers is work for a processor: more at a time would only make each slower. */
const CONCURRENCY = 3;
const TIMEOUT_MS = 60 * 60_000;
/** An adapter has as long as the job to pull what it scans. */
const CREDENTIAL_LIFETIME_MS = TIMEOUT_MS + 5 * 60_000;

/** The job that makes one report: with our scanner, or through an adapter. */
export function scanJob(deps: ScanningDeps, parts: ScanJobParts): JobKind {
  return {
    kind: IMAGE_SCAN,
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    run: async (context) => {
      const payload = context.job.payload as unknown as ScanPayload;
      const report = await parts.reports.findById(payload.reportId);
      const subject = await findSubject(deps.database.db, payload.artifactId);
      // The artifact was deleted, and its reports with it; or a later scan has the report now.
      if (report === undefined || subject === undefined || report.jobId !== context.job.id) return;
      if (!(await parts.reports.start(report.id))) return;
      try {
        const scan = await prepare(deps, parts, { report, subject, payload });
        context.log.info(`Scanning ${subject.repository}@${subject.digest} with ${scan.registration.name}.`);
        await (report.scanType === 'sbom' ? makeSbom : findVulnerabilities)(deps, parts, scan, context);
      } catch (error) {
        await recordEnd(
          deps,
          parts,
          { report, subject, payload },
          context.signal.aborted ? context.signal.reason : error,
        );
        throw error;
      }
    },
  };
}

async function prepare(
  deps: ScanningDeps,
  { registrations, access }: ScanJobParts,
  wanted: Pick<Scan, 'report' | 'subject' | 'payload'>,
): Promise<Scan> {
  const registration = await registrations.findById(wanted.report.registrationId);
  const project = await deps.projects.findById(wanted.subject.projectId);
  if (registration === undefined || project === undefined) {
    throw new VicError({ class: 'NotFound', code: 'SCAN_GONE', message: 'The scanner or the project is gone.' });
  }
  return { ...wanted, project, registration, metadata: await access.metadata(registration) };
}

async function findVulnerabilities(
  deps: ScanningDeps,
  parts: ScanJobParts,
  scan: Scan,
  context: JobContext,
): Promise<void> {
  const isBuiltIn = scan.registration.kind === 'builtin';
  const result = isBuiltIn
    ? await judgeWithOurs(deps, parts, scan, context)
    : await judgeWithAdapter(deps, parts, scan, context);
  const { summary } = result;
  context.log.info(`${summary.total} vulnerabilities, ${summary.fixable} with a fix; worst: ${summary.severity}.`);
  await deps.database.transaction(async (transaction) => {
    await parts.reports.complete(transaction, scan.report, result);
    const end = completed(scan, {
      severity: summary.severity,
      summary: { ...summary.bySeverity, total: summary.total },
    });
    await deps.appendEvent(transaction, await scanEvent(transaction, scan.subject, end));
  });
}

async function judgeWithOurs(
  deps: ScanningDeps,
  { inventories }: ScanJobParts,
  { subject, metadata }: Scan,
  { signal, log }: JobContext,
): Promise<VulnerabilityResult> {
  const inventory = await inventories.of(subject, signal, (line) => log.info(line));
  const status = await deps.advisories.status();
  await using advisories = await deps.advisories.open();
  const nowMs = (deps.now ?? Date.now)();
  return await judgeInventory(subject, inventory, { advisories, status, scanner: metadata.scanner, nowMs });
}

async function judgeWithAdapter(
  deps: ScanningDeps,
  parts: ScanJobParts,
  scan: Scan,
  context: JobContext,
): Promise<VulnerabilityResult> {
  const document = await askAdapter(deps, parts, scan, context);
  const items = itemsOfDocument(document);
  return { scanner: scan.metadata.scanner, items, summary: summarize(items), raw: JSON.stringify(document) };
}

async function makeSbom(deps: ScanningDeps, parts: ScanJobParts, scan: Scan, context: JobContext): Promise<void> {
  const createdAtMs = (deps.now ?? Date.now)();
  const { subject, project, metadata } = scan;
  const document =
    scan.registration.kind === 'builtin'
      ? spdxDocument(await parts.inventories.of(subject, context.signal, (line) => context.log.info(line)), {
          name: `${new URL(deps.registry.url).host}/${subject.repository}`,
          digest: subject.digest,
          createdAtMs,
          tool: metadata.scanner,
        })
      : sbomOf(await askAdapter(deps, parts, scan, context));
  context.signal.throwIfAborted();
  const digest = await storeSbom(deps, { project, repository: subject.repository }, subject, { document, createdAtMs });
  context.log.info(`The SBOM is stored as ${digest}.`);
  await deps.database.transaction(async (transaction) => {
    await parts.reports.completeSbom(transaction, scan.report.id, metadata.scanner, digest);
    await deps.appendEvent(transaction, await scanEvent(transaction, subject, completed(scan, {})));
  });
}

function sbomOf(document: unknown): unknown {
  const { sbom } = (document ?? {}) as { readonly sbom?: unknown };
  if (typeof sbom === 'object' && sbom !== null) return sbom;
  throw new VicError({ class: 'Unavailable', code: 'SCANNER_ANSWER', message: 'The scanner gave no SBOM.' });
}

/** Gives the adapter a robot of its own that may pull this repository until the scan has ended. */
async function askAdapter(
  deps: ScanningDeps,
  { access }: ScanJobParts,
  { registration, metadata, project, subject, report, payload }: Scan,
  { signal, log }: JobContext,
): Promise<unknown> {
  const wantsBearer = metadata.properties['harbor.scanner-adapter/registry-authorization-type'] === 'Bearer';
  const credential = await deps.robots.issue({
    project,
    repository: subject.repository,
    form: wantsBearer ? 'Bearer' : 'Basic',
    lifetimeMs: CREDENTIAL_LIFETIME_MS,
  });
  try {
    await using adapter = await access.adapter(registration);
    const url = registration.useInternalAddress ? deps.registry.internalUrl : deps.registry.url;
    return await adapter.scan(
      {
        type: report.scanType,
        mimeType: report.mimeType,
        registry: { url, authorization: credential.authorization, insecure: registration.skipCertVerify },
        artifact: {
          repository: subject.repository,
          digest: subject.digest,
          tag: payload.tag,
          mime_type: subject.manifestMediaType,
          size: subject.sizeBytes,
        },
      },
      signal,
      (line) => log.info(line),
    );
  } finally {
    await credential.revoke();
  }
}

function completed({ report, metadata, payload }: Scan, outcome: Pick<ScanEnd, 'severity' | 'summary'>): ScanEnd {
  return {
    type: 'scan.completed',
    operator: payload.operator,
    scanner: metadata.scanner.name,
    scanType: report.scanType,
    status: 'Success',
    ...outcome,
  };
}

/** A run that ends with the program is taken up again, so the scan has not ended. */
async function recordEnd(
  deps: ScanningDeps,
  { reports }: ScanJobParts,
  { report, subject, payload }: Pick<Scan, 'report' | 'subject' | 'payload'>,
  cause: unknown,
): Promise<void> {
  if (isVicError(cause, { code: 'JOB_INTERRUPTED' }) || isVicError(cause, { code: 'JOB_CLAIM_LOST' })) return;
  const stopped = isVicError(cause, { code: 'JOB_STOPPED' });
  const status = stopped ? 'Stopped' : 'Error';
  await deps.database.transaction(async (transaction) => {
    if (!(await reports.end(transaction, report.id, status, stopped ? undefined : describeError(cause)))) return;
    const end: ScanEnd = {
      type: stopped ? 'scan.stopped' : 'scan.failed',
      operator: payload.operator,
      scanner: report.scanner?.name ?? '',
      scanType: report.scanType,
      status,
    };
    await deps.appendEvent(transaction, await scanEvent(transaction, subject, end));
  });
}
