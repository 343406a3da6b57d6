import { judgeVersion } from './advisories/affected-version.ts';
import type { PackageAdvisory } from './advisories/advisory.ts';
import { advisoryKey } from './advisories/advisory-file.ts';
import { cvss3BaseScore } from './cvss/cvss3.ts';
import { cvss4BaseScore } from './cvss/cvss4.ts';
import { type Severity, severityOfScore, severityOfWord, severityRank, worse } from './cvss/severity.ts';
import { distributionOf, languageEcosystemOf } from './distributions.ts';
import type { InstalledPackage, PackageInventory } from './package-inventory.ts';
import { versionOrderOf } from './versions/compare-versions.ts';

/** One vulnerability of one package of an image. */
export interface Finding {
  /** The CVE, or the advisory's own id when it has none. */
  readonly id: string;
  readonly advisories: readonly string[];
  readonly package: InstalledPackage;
  /** Empty while there is no fix. */
  readonly fixedVersion: string;
  readonly severity: Severity;
  readonly cvss3?: { readonly score: number; readonly vector: string };
  readonly cvss4?: { readonly score: number; readonly vector: string };
  readonly summary: string;
  readonly links: readonly string[];
  readonly cwes: readonly string[];
  readonly publishedAtMs: number;
}

/** Where advisories are looked up. */
export interface AdvisoryLookup {
  find(keys: Iterable<string>): Promise<ReadonlyMap<string, readonly PackageAdvisory[]>>;
}

/** What is known of an image. */
export interface MatchResult {
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Sentences about what could not be judged. */
  readonly warnings: readonly string[];
}

interface Question {
  readonly key: string;
  readonly ecosystem: string;
  readonly version: string;
  readonly package: InstalledPackage;
  covers(release: string): boolean;
}

/** Compares the packages of an image with the advisories known. */
export async function matchInventory(inventory: PackageInventory, advisories: AdvisoryLookup): Promise<MatchResult> {
  const distribution = distributionOf(inventory.operatingSystem);
  const questions = inventory.packages.flatMap((installed) => questionOf(installed, distribution));
  const known = await advisories.find(questions.map(({ key }) => key));
  const findings = new Map<string, Finding>();
  for (const question of questions) {
    for (const finding of answer(question, known.get(question.key) ?? [])) {
      const { type, name, version } = finding.package;
      const key = JSON.stringify([finding.id, type, name, version]);
      const earlier = findings.get(key);
      findings.set(key, earlier === undefined ? finding : merge(earlier, finding));
    }
  }
  const bySeverity = (a: Finding, b: Finding): number =>
    severityRank(b.severity) - severityRank(a.severity) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return { findings: [...findings.values()].toSorted(bySeverity), warnings: warningsFor(inventory, distribution) };
}

function questionOf(installed: InstalledPackage, distribution: ReturnType<typeof distributionOf>): readonly Question[] {
  const language = languageEcosystemOf(installed.type);
  if (language !== undefined) {
    const key = advisoryKey(language, installed.name);
    return [{ key, ecosystem: language, version: installed.version, package: installed, covers: () => true }];
  }
  if (distribution === undefined) return [];
  const { name, version } = (distribution.bySource ? installed.source : undefined) ?? installed;
  const { ecosystem } = distribution;
  return [
    {
      key: advisoryKey(ecosystem, name),
      ecosystem,
      version,
      package: installed,
      covers: (release) => distribution.covers(release),
    },
  ];
}

function* answer(question: Question, advisories: readonly PackageAdvisory[]): Generator<Finding> {
  const order = versionOrderOf(question.ecosystem);
  if (order === undefined) return;
  for (const advisory of advisories) {
    if (!question.covers(advisory.release)) continue;
    const { affected, fixedIn } = judgeVersion(question.version, advisory, order);
    if (!affected) continue;
    const ids = advisory.cves.length > 0 ? advisory.cves : [advisory.id];
    for (const id of ids) yield findingOf(id, advisory, question.package, fixedIn ?? '');
  }
}

function findingOf(id: string, advisory: PackageAdvisory, installed: InstalledPackage, fixedVersion: string): Finding {
  const [score3, score4] = [cvss3BaseScore(advisory.cvss3 ?? ''), cvss4BaseScore(advisory.cvss4 ?? '')];
  return {
    id,
    advisories: [advisory.id],
    package: installed,
    fixedVersion,
    severity: severityOf(advisory.severity, score4 ?? score3),
    ...(score3 === undefined ? {} : { cvss3: { score: score3, vector: advisory.cvss3 ?? '' } }),
    ...(score4 === undefined ? {} : { cvss4: { score: score4, vector: advisory.cvss4 ?? '' } }),
    summary: advisory.summary,
    links: advisory.links,
    cwes: advisory.cwes,
    publishedAtMs: advisory.publishedAtMs,
  };
}

/** The word of those who build the package counts before the score, which knows nothing of their build. */
function severityOf(word: string | undefined, score: number | undefined): Severity {
  const named = word === undefined ? undefined : severityOfWord(word);
  if (named !== undefined && named !== 'Unknown') return named;
  return score === undefined ? 'Unknown' : severityOfScore(score);
}

/** Several advisories speak of one CVE: a distribution's announcement and its tracker, for example. */
function merge(a: Finding, b: Finding): Finding {
  return {
    ...b,
    ...a,
    ...(a.cvss3 === undefined && b.cvss3 !== undefined ? { cvss3: b.cvss3 } : {}),
    advisories: [...new Set([...a.advisories, ...b.advisories])],
    fixedVersion: a.fixedVersion === '' ? b.fixedVersion : a.fixedVersion,
    severity: worse(a.severity, b.severity),
    summary: a.summary === '' ? b.summary : a.summary,
    links: [...new Set([...a.links, ...b.links])],
    cwes: [...new Set([...a.cwes, ...b.cwes])],
    publishedAtMs: Math.min(a.publishedAtMs, b.publishedAtMs),
  };
}

function warningsFor(inventory: PackageInventory, distribution: ReturnType<typeof distributionOf>): readonly string[] {
  const system = inventory.operatingSystem;
  const own = inventory.packages.filter((installed) => languageEcosystemOf(installed.type) === undefined).length;
  if (own === 0 || distribution !== undefined) return inventory.warnings;
  const name = system === undefined ? 'an unknown distribution' : system.name;
  return [...inventory.warnings, `The ${own} packages of ${name} were not judged: there are no advisories for it.`];
}

/** The ecosystems whose advisories the packages of an image need, without their releases. */
export function ecosystemsOf(inventory: PackageInventory): ReadonlySet<string> {
  const distribution = distributionOf(inventory.operatingSystem);
  return new Set(inventory.packages.flatMap(({ type }) => languageEcosystemOf(type) ?? distribution?.ecosystem ?? []));
}
