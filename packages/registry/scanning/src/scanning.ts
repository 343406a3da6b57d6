import type { EventConsumer } from '@vic/events';
import type { JobKind, JobVendor } from '@vic/jobs';
import type { ArtifactGate } from '@vic/repositories';
import { CVE_EXPORT, CveExports, cveExportJob } from './cve-export.ts';
import { VulnerabilityGate } from './gate/vulnerability-gate.ts';
import { ReportProviders } from './reports/report-providers.ts';
import { ScanReports } from './reports/scan-reports.ts';
import { ScannerAccess } from './scanners/scanner-access.ts';
import { ScannerRegistrations } from './scanners/scanner-registrations.ts';
import type { ScanningDeps } from './scanning-deps.ts';
import { ADVISORY_IMPORT, advisoryImportJob } from './scans/advisory-import-job.ts';
import { ImageInventories } from './scans/image-inventories.ts';
import { reevaluateJob } from './scans/reevaluate-job.ts';
import { ScanAll, scanAllJob, scanAllVendor } from './scans/scan-all.ts';
import { scanJob } from './scans/scan-job.ts';
import { scanOnPush } from './scans/scan-on-push.ts';
import { Scans } from './scans/scans.ts';
import { SecurityHub } from './security-hub.ts';

/** Everything about scanning, composed: what the program gives to jobs, events, gates, the catalogue and REST. */
export class Scanning {
  readonly deps: ScanningDeps;
  readonly registrations: ScannerRegistrations;
  readonly access: ScannerAccess;
  readonly reports: ScanReports;
  readonly scans: Scans;
  readonly inventories: ImageInventories;
  readonly scanAll: ScanAll;
  readonly hub: SecurityHub;
  readonly exports: CveExports;
  /** The catalogue's `overviews` and `reports`. */
  readonly providers: ReportProviders;
  /** For the repositories' gates. */
  readonly gate: ArtifactGate;
  /** For the event consumers. */
  readonly consumer: EventConsumer;
  /** For the job runner. */
  readonly kinds: readonly JobKind[];
  readonly vendors: readonly JobVendor[];

  constructor(deps: ScanningDeps) {
    this.deps = deps;
    const now = deps.now ?? Date.now;
    const { database, box, advisories } = deps;
    const registrations = new ScannerRegistrations({ database, box, now });
    const access = new ScannerAccess({ registrations, advisories, now });
    const reports = new ScanReports({ database, now });
    const inventories = new ImageInventories(deps);
    const scans = new Scans(deps, { registrations, access, reports });
    const parts = { registrations, access, reports, inventories };
    this.registrations = registrations;
    this.access = access;
    this.reports = reports;
    this.scans = scans;
    this.inventories = inventories;
    this.scanAll = new ScanAll(deps);
    this.hub = new SecurityHub({ database, registrations });
    this.exports = new CveExports(deps);
    this.providers = new ReportProviders({ ...deps, registrations, reports, inventories });
    this.gate = new VulnerabilityGate(deps, { registrations, reports, scans });
    this.consumer = scanOnPush(deps, { scans, inventories });
    this.kinds = [
      scanJob(deps, parts),
      scanAllJob(deps, scans),
      reevaluateJob(deps, parts),
      advisoryImportJob(deps),
      cveExportJob(deps),
    ];
    this.vendors = [
      scanAllVendor(deps, { scans, reports }),
      { vendorType: CVE_EXPORT },
      { vendorType: ADVISORY_IMPORT },
    ];
  }

  /** Makes what must be there before the first request: the built-in scanner's registration. */
  async start(): Promise<void> {
    await this.registrations.ensureBuiltIn();
  }
}
