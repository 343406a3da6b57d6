import type { ArtifactSummary, OverviewProvider, ReportProvider, SbomFormat } from '@vic/catalog';
import { parseContentDigest } from '@vic/oci';
import { MIME, type ScanType } from '../scanners/scanner-metadata.ts';
import type { ScannerRegistrations } from '../scanners/scanner-registrations.ts';
import type { ScanningDeps } from '../scanning-deps.ts';
import type { ImageInventories } from '../scans/image-inventories.ts';
import { inventorySbom } from '../scans/inventory-sbom.ts';
import { findSubject, membersOf } from '../scans/scan-subject.ts';
import { overviewBody, reportBody, sbomOverviewBody } from './report-body.ts';
import type { ScanReport } from './scan-report.ts';
import type { ScanReports } from './scan-reports.ts';
import { readVulnerabilities } from './vulnerability-records.ts';

/** What reports are read from. */
export interface ReportProvidersDeps extends Pick<ScanningDeps, 'database' | 'blobs' | 'store' | 'registry' | 'now'> {
  readonly inventories: Pick<ImageInventories, 'find'>;
  readonly registrations: ScannerRegistrations;
  readonly reports: ScanReports;
}

const MAX_SBOM_BYTES = 256 * 1024 * 1024;

/** What scanning tells the catalogue about artifacts: of the scanner that their project uses now. */
export class ReportProviders implements OverviewProvider, ReportProvider {
  readonly #deps: ReportProvidersDeps;

  constructor(deps: ReportProvidersDeps) {
    this.#deps = deps;
  }

  async scanOverviews(
    artifacts: readonly ArtifactSummary[],
    acceptedReports: readonly string[],
  ): Promise<ReadonlyMap<number, Readonly<Record<string, unknown>>>> {
    const reports = await this.#reportsOf(artifacts, 'vulnerability');
    const overviews = new Map<number, Readonly<Record<string, unknown>>>();
    for (const [id, list] of reports) {
      const type = shownType(list, acceptedReports);
      if (type !== undefined) overviews.set(id, { [type]: overviewBody(list) });
    }
    return overviews;
  }

  async sbomOverviews(
    artifacts: readonly ArtifactSummary[],
  ): Promise<ReadonlyMap<number, Readonly<Record<string, unknown>>>> {
    const reports = await this.#reportsOf(artifacts, 'sbom');
    return new Map([...reports].map(([id, list]) => [id, sbomOverviewBody(list)]));
  }

  async vulnerabilities(
    artifact: ArtifactSummary,
    acceptedReports: readonly string[],
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const all = (await this.#reportsOf([artifact], 'vulnerability')).get(artifact.id) ?? [];
    const done = all.filter(({ status }) => status === 'Success');
    if (acceptedReports.includes(MIME.rawReport)) {
      const raw = done.length === 1 && done[0] !== undefined ? await this.#deps.reports.raw(done[0].id) : undefined;
      return raw === undefined ? undefined : { [MIME.rawReport]: JSON.parse(raw) as unknown };
    }
    const type = shownType(done, acceptedReports);
    if (type === undefined) return undefined;
    const items = await readVulnerabilities(
      this.#deps.database.db,
      done.map(({ id }) => id),
    );
    return { [type]: reportBody(done, items) };
  }

  async sbom(artifact: ArtifactSummary, format?: SbomFormat): Promise<unknown> {
    const [report] = (await this.#reportsOf([artifact], 'sbom')).get(artifact.id) ?? [];
    const stored = await this.#storedSbom(artifact, report);
    if (format === undefined || formatOf(stored) === format) return stored;
    // Of an index, the member whose document is shown.
    const subject = await findSubject(this.#deps.database.db, report?.artifactId ?? artifact.id);
    return subject === undefined ? undefined : inventorySbom(this.#deps, subject, format);
  }

  async #storedSbom(artifact: ArtifactSummary, report: ScanReport | undefined): Promise<unknown> {
    if (report?.sbomDigest === undefined) return undefined;
    const served = await this.#deps.store.getManifest(artifact.repository, report.sbomDigest);
    if (served === undefined) return undefined;
    const { layers } = JSON.parse(Buffer.from(served.manifest.content).toString('utf8')) as {
      readonly layers?: readonly { readonly digest: string; readonly size: number }[];
    };
    const [layer] = layers ?? [];
    if (layer === undefined || layer.size > MAX_SBOM_BYTES) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#deps.blobs.read(parseContentDigest(layer.digest)))
      chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  }

  /** By artifact: its report, or those of its members when it is an index that has any. */
  async #reportsOf(
    artifacts: readonly ArtifactSummary[],
    scanType: ScanType,
  ): Promise<ReadonlyMap<number, readonly ScanReport[]>> {
    const { database, registrations, reports } = this.#deps;
    const members = await membersOf(
      database.db,
      artifacts.map(({ id }) => id),
    );
    const found = new Map<number, readonly ScanReport[]>();
    for (const [projectId, ofProject] of Map.groupBy(artifacts, (artifact) => artifact.projectId)) {
      const registration = await registrations.ofProject(projectId);
      if (registration === undefined) continue;
      const idsOf = (id: number): readonly number[] => members.get(id)?.map((member) => member.id) ?? [id];
      const wanted = [...new Set(ofProject.flatMap(({ id }) => idsOf(id)))];
      const byArtifact = new Map(
        (await reports.list(wanted, registration.id, scanType)).map((report) => [report.artifactId, report]),
      );
      for (const { id } of ofProject) {
        const list = idsOf(id).flatMap((member) => byArtifact.get(member) ?? []);
        if (list.length > 0) found.set(id, list);
      }
    }
    return found;
  }
}

/** The form of a document that a scanner made. */
function formatOf(document: unknown): SbomFormat | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  if ('spdxVersion' in document) return 'spdx';
  return 'bomFormat' in document && document.bomFormat === 'CycloneDX' ? 'cyclonedx' : undefined;
}

/** The type that the client accepts and the reports can be given as; both of Harbor's types are one form. */
function shownType(reports: readonly ScanReport[], accepted: readonly string[]): string | undefined {
  if (reports.length === 0) return undefined;
  const own = reports[0]?.mimeType ?? '';
  if (accepted.length === 0 || accepted.includes(own)) return own;
  return accepted.find((type) => type === MIME.report || type === MIME.nativeReport);
}
