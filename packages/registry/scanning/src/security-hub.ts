import {
  type Database,
  type ListMapping,
  type ListPage,
  type ListRequest,
  applyListQuery,
  filterCondition,
  sql,
} from '@vic/sql';
import type { ScannerRegistrations } from './scanners/scanner-registrations.ts';

/** What the list of all vulnerabilities can be filtered by. */
const VULNERABILITY_FIELDS: ListMapping = {
  columns: {
    cve_id: { column: 'vulnerability_records.cve_id', type: 'text' },
    cvss_score_v3: { column: 'vulnerability_records.cvss3_score', type: 'number' },
    severity: { column: 'vulnerability_records.severity', type: 'text' },
    status: { column: 'vulnerability_records.status', type: 'text' },
    repository_name: { column: 'repositories.name', type: 'text' },
    project_id: { column: 'artifacts.project_id', type: 'number' },
    package: { column: 'vulnerability_records.package', type: 'text' },
    tag: { column: 'tags.name', type: 'text' },
    digest: { column: 'artifacts.digest', type: 'text' },
    severity_rank: { column: 'vulnerability_records.severity_rank', type: 'number' },
    record: { column: 'vulnerability_records.id', type: 'number' },
    report: { column: 'scan_reports.id', type: 'number' },
  },
  defaultSort: ['-severity_rank', 'record', 'report'],
};

const DANGEROUS = 5;
/** Above it a count costs more than it tells; asked for with `tune_count`. */
const TUNED_COUNT = 1000;

/** What the dashboard shows of all reports of the default scanner. */
export class SecurityHub {
  readonly #database: Database;
  readonly #registrations: ScannerRegistrations;

  constructor(deps: { readonly database: Database; readonly registrations: ScannerRegistrations }) {
    this.#database = deps.database;
    this.#registrations = deps.registrations;
  }

  /** Harbor's `SecuritySummary`. */
  async summary(wanted: { readonly cves: boolean; readonly artifacts: boolean }): Promise<Record<string, unknown>> {
    const { db } = this.#database;
    const id = await this.#scanner();
    const bySeverity = await this.#reports(id)
      .innerJoin('report_vulnerabilities', 'report_vulnerabilities.report_id', 'scan_reports.id')
      .innerJoin('vulnerability_records', 'vulnerability_records.id', 'report_vulnerabilities.record_id')
      .select(['vulnerability_records.severity', sql<number>`count(*)`.as('total')])
      .select(sql<number>`sum(case when vulnerability_records.fix_version <> '' then 1 else 0 end)`.as('fixable'))
      .groupBy('vulnerability_records.severity')
      .execute();
    const count = (severity: string): number => Number(bySeverity.find((row) => row.severity === severity)?.total ?? 0);
    const scanned = await this.#reports(id)
      .select(sql<number>`count(*)`.as('total'))
      .executeTakeFirst();
    const artifacts = await db
      .selectFrom('artifacts')
      .select(sql<number>`count(*)`.as('total'))
      .where('subject_digest', 'is', null)
      .executeTakeFirst();
    return {
      critical_cnt: count('Critical'),
      high_cnt: count('High'),
      medium_cnt: count('Medium'),
      low_cnt: count('Low') + count('Negligible'),
      none_cnt: count('None'),
      unknown_cnt: count('Unknown'),
      total_vuls: bySeverity.reduce((sum, row) => sum + Number(row.total), 0),
      fixable_cnt: bySeverity.reduce((sum, row) => sum + Number(row.fixable), 0),
      scanned_cnt: Number(scanned?.total ?? 0),
      total_artifact: Number(artifacts?.total ?? 0),
      ...(wanted.cves ? { dangerous_cves: await this.#dangerousCves(id) } : {}),
      ...(wanted.artifacts ? { dangerous_artifacts: await this.#dangerousArtifacts(id) } : {}),
    };
  }

  /** A page of all vulnerabilities, worst first; `tuned` gives −1 for totals above a thousand. */
  async list(
    request: ListRequest,
    options: { readonly withTags: boolean; readonly tuned: boolean },
  ): Promise<ListPage<Record<string, unknown>>> {
    const id = await this.#scanner();
    const filtersTag = request.filters.some(({ field }) => field === 'tag');
    const rest = request.filters.filter(({ field }) => field !== 'tag');
    const base = this.#reports(id)
      .innerJoin('report_vulnerabilities', 'report_vulnerabilities.report_id', 'scan_reports.id')
      .innerJoin('vulnerability_records', 'vulnerability_records.id', 'report_vulnerabilities.record_id')
      .innerJoin('artifacts', 'artifacts.id', 'scan_reports.artifact_id')
      .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
      .$if(filtersTag, (query) =>
        query.where((column) =>
          column.exists(
            request.filters
              .filter(({ field }) => field === 'tag')
              .reduce(
                (tags, filter) => tags.where(filterCondition(filter, VULNERABILITY_FIELDS)),
                column.selectFrom('tags').select('tags.id').whereRef('tags.artifact_id', '=', 'artifacts.id'),
              ),
          ),
        ),
      );
    const wanted = { ...request, filters: rest };
    const rows = await applyListQuery(
      base
        .select(['artifacts.id as artifact_id', 'artifacts.project_id', 'repositories.name as repository'])
        .select([
          'artifacts.digest',
          'cve_id',
          'package',
          'version',
          'fix_version',
          'vulnerability_records.description',
          'links',
        ])
        .select(['vulnerability_records.severity', 'vulnerability_records.status', 'cvss3_score']),
      wanted,
      VULNERABILITY_FIELDS,
    ).execute();
    const matching = rest.reduce((query, filter) => query.where(filterCondition(filter, VULNERABILITY_FIELDS)), base);
    const counted = matching
      .select('vulnerability_records.id')
      .limit(options.tuned ? TUNED_COUNT + 1 : Number.MAX_SAFE_INTEGER);
    const total = await sql<{ total: number }>`select count(*) as total from (${counted}) as matching`.execute(
      this.#database.db,
    );
    const found = Number(total.rows[0]?.total ?? 0);
    const tags = options.withTags ? await this.#tagsOf(rows.map((row) => row.artifact_id)) : undefined;
    return {
      items: rows.map((row) => ({
        project_id: row.project_id,
        repository_name: row.repository,
        digest: row.digest,
        ...(tags === undefined ? {} : { tags: tags.get(row.artifact_id) ?? [] }),
        cve_id: row.cve_id,
        severity: row.severity,
        status: row.status,
        cvss_v3_score: row.cvss3_score ?? 0,
        package: row.package,
        version: row.version,
        fixed_version: row.fix_version,
        desc: row.description,
        links: JSON.parse(row.links) as string[],
      })),
      total: options.tuned && found > TUNED_COUNT ? -1 : found,
    };
  }

  async #scanner(): Promise<number> {
    return (await this.#registrations.default())?.id ?? 0;
  }

  #reports(registrationId: number) {
    return this.#database.db
      .selectFrom('scan_reports')
      .where('scan_reports.registration_id', '=', registrationId)
      .where('scan_reports.scan_type', '=', 'vulnerability')
      .where('scan_reports.status', '=', 'Success');
  }

  async #dangerousCves(registrationId: number): Promise<readonly Record<string, unknown>[]> {
    const rows = await this.#database.db
      .selectFrom('vulnerability_records')
      .select(['cve_id', 'severity', 'cvss3_score', 'description', 'package', 'version'])
      .where('registration_id', '=', registrationId)
      .where((column) =>
        column.exists(
          column
            .selectFrom('report_vulnerabilities')
            .select('record_id')
            .whereRef('report_vulnerabilities.record_id', '=', 'vulnerability_records.id'),
        ),
      )
      .orderBy(sql`coalesce(cvss3_score, 0)`, 'desc')
      .orderBy('severity_rank', 'desc')
      .orderBy('id')
      .limit(DANGEROUS)
      .execute();
    return rows.map((row) => ({
      cve_id: row.cve_id,
      severity: row.severity,
      cvss_score_v3: row.cvss3_score ?? 0,
      desc: row.description,
      package: row.package,
      version: row.version,
    }));
  }

  async #dangerousArtifacts(registrationId: number): Promise<readonly Record<string, unknown>[]> {
    const counted = (severity: string) =>
      sql<number>`sum(case when vulnerability_records.severity = ${severity} then 1 else 0 end)`;
    const rows = await this.#reports(registrationId)
      .innerJoin('report_vulnerabilities', 'report_vulnerabilities.report_id', 'scan_reports.id')
      .innerJoin('vulnerability_records', 'vulnerability_records.id', 'report_vulnerabilities.record_id')
      .innerJoin('artifacts', 'artifacts.id', 'scan_reports.artifact_id')
      .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
      .select(['artifacts.project_id', 'repositories.name', 'artifacts.digest'])
      .select([counted('Critical').as('critical'), counted('High').as('high'), counted('Medium').as('medium')])
      .groupBy(['artifacts.project_id', 'repositories.name', 'artifacts.digest'])
      .orderBy('critical', 'desc')
      .orderBy('high', 'desc')
      .orderBy('medium', 'desc')
      .limit(DANGEROUS)
      .execute();
    return rows.map((row) => ({
      project_id: row.project_id,
      repository_name: row.name,
      digest: row.digest,
      critical_cnt: Number(row.critical),
      high_cnt: Number(row.high),
      medium_cnt: Number(row.medium),
    }));
  }

  async #tagsOf(artifactIds: readonly number[]): Promise<ReadonlyMap<number, readonly string[]>> {
    if (artifactIds.length === 0) return new Map();
    const rows = await this.#database.db
      .selectFrom('tags')
      .select(['artifact_id', 'name'])
      .where('artifact_id', 'in', [...new Set(artifactIds)])
      .orderBy('id')
      .execute();
    const shown = Map.groupBy(rows, (row) => row.artifact_id);
    return new Map([...shown].map(([id, list]) => [id, list.slice(0, 10).map(({ name }) => name)]));
  }
}
