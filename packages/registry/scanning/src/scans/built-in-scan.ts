import { VicError } from '@vic/errors';
import {
  type AdvisoryLookup,
  type AdvisoryStatus,
  type PackageInventory,
  ecosystemsOf,
  matchInventory,
  worse,
} from '@vic/vulnerabilities';
import type { VulnerabilityResult } from '../reports/scan-reports.ts';
import { itemBody, itemOfFinding, summarize } from '../reports/vulnerability-item.ts';
import type { ScannerIdentity } from '../scanners/scanner-metadata.ts';
import type { ScanSubject } from './scan-subject.ts';

/** What a judgement is made with. */
export interface BuiltInKnowledge {
  readonly advisories: AdvisoryLookup;
  readonly status: AdvisoryStatus;
  readonly scanner: ScannerIdentity;
  readonly nowMs: number;
}

/**
 * Judges the packages of an image by the advisories known.
 *
 * An empty database is an error, never "no vulnerabilities"; packages that could not be judged make an otherwise
 * clean image's severity Unknown.
 */
export async function judgeInventory(
  subject: Pick<ScanSubject, 'repository' | 'digest' | 'manifestMediaType'>,
  inventory: PackageInventory,
  knowledge: BuiltInKnowledge,
): Promise<VulnerabilityResult> {
  const { status, scanner } = knowledge;
  if (status.advisoryCount === 0) throw noAdvisories();
  const match = await matchInventory(inventory, knowledge.advisories);
  const known = new Set(status.feeds.flatMap(({ ecosystems }) => ecosystems));
  const unknown = [...ecosystemsOf(inventory)].filter((ecosystem) => !known.has(ecosystem));
  const warnings = [
    ...match.warnings,
    ...unknown.map((ecosystem) => `There are no advisories for ${ecosystem}: its packages were not judged.`),
  ];
  const items = match.findings.map(itemOfFinding);
  const counted = summarize(items);
  const summary = warnings.length === 0 ? counted : { ...counted, severity: worse(counted.severity, 'Unknown') };
  const document = {
    generated_at: new Date(knowledge.nowMs).toISOString(),
    artifact: { repository: subject.repository, digest: subject.digest, mime_type: subject.manifestMediaType },
    scanner,
    severity: summary.severity,
    database: databaseBody(status),
    operating_system: inventory.operatingSystem ?? null,
    package_count: inventory.packages.length,
    warnings,
    vulnerabilities: items.map(itemBody),
  };
  return {
    scanner,
    items,
    summary,
    raw: JSON.stringify(document),
    database: { count: status.advisoryCount, modifiedAtMs: status.modifiedAtMs },
  };
}

/** How much is known and how old it is, as reports and the API show it. */
export function databaseBody(status: AdvisoryStatus): Readonly<Record<string, unknown>> {
  return {
    advisory_count: status.advisoryCount,
    modified_at: status.modifiedAtMs === undefined ? null : new Date(status.modifiedAtMs).toISOString(),
    imported_at: status.importedAtMs === undefined ? null : new Date(status.importedAtMs).toISOString(),
  };
}

function noAdvisories(): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SCAN_NO_ADVISORIES',
    message: 'No advisories are known: nothing can be said about vulnerabilities.',
    remedy:
      'Import a feed (POST /system/advisories, or the command "registry import advisories"); reports are then made by themselves.',
  });
}
