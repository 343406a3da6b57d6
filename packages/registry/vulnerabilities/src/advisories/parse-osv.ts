import { jsonObjectOf, listOf, objectOf, textOf, type JsonObject } from '../inventory/readers/json-text.ts';
import { severityOfWord } from '../cvss/severity.ts';
import { versionOrderOf } from '../versions/compare-versions.ts';
import type { AdvisoryEvent, KeyedAdvisory } from './advisory.ts';
import { inRange } from './affected-version.ts';

const MAX_SUMMARY_LENGTH = 600;
const MAX_LINKS = 8;
const MAX_EVENTS = 2_000;
const MAX_ID_LENGTH = 128;

/** What one OSV document says, by package; `undefined` when it is not an OSV document. */
export interface ParsedAdvisory {
  readonly id: string;
  readonly modifiedAtMs: number;
  readonly withdrawn: boolean;
  readonly entries: readonly KeyedAdvisory[];
}

/** Parses one document in OSV's format (ossf.github.io/osv-schema), keeping what matching and reports need. */
export function parseOsv(content: Buffer): ParsedAdvisory | undefined {
  return parseOsvObject(jsonObjectOf(content));
}

/** {@link parseOsv} of a document that is parsed already. */
export function parseOsvObject(json: JsonObject): ParsedAdvisory | undefined {
  const id = textOf(json['id']);
  const modifiedAtMs = Date.parse(textOf(json['modified']));
  if (id === '' || id.length > MAX_ID_LENGTH || Number.isNaN(modifiedAtMs)) return undefined;
  const withdrawn = textOf(json['withdrawn']) !== '';
  const common = {
    id,
    cves: cvesOf(json, id),
    summary: summaryOf(json),
    links: linksOf(json),
    cwes: listOf(objectOf(json['database_specific'])['cwe_ids'])
      .map(textOf)
      .filter((cwe) => /^CWE-\d+$/.test(cwe)),
    publishedAtMs: Date.parse(textOf(json['published'])) || modifiedAtMs,
    modifiedAtMs,
  };
  const entries = withdrawn
    ? []
    : listOf(json['affected']).flatMap((value) => {
        const affected = objectOf(value);
        const { ecosystem, release, name } = packageOf(affected);
        const order = versionOrderOf(ecosystem);
        if (name === '' || order === undefined) return [];
        const ranges = listOf(affected['ranges']).flatMap(rangeOf);
        const versions = listOf(affected['versions'])
          .map(textOf)
          .filter((version) => version !== '' && !ranges.some((events) => inRange(version, events, order)));
        if (ranges.length === 0 && versions.length === 0) return [];
        const advisory = { ...common, release, ranges, versions, ...severityOf(json, affected) };
        return [{ ecosystem, package: name, advisory }];
      });
  return { id, modifiedAtMs, withdrawn, entries };
}

/** `upstream` and `aliases` name the CVEs; older distribution advisories only have `related`. */
function cvesOf(json: JsonObject, id: string): readonly string[] {
  const named = (keys: readonly string[]): readonly string[] => [
    ...new Set(
      keys
        .flatMap((key) => listOf(json[key]).map(textOf))
        .concat(id)
        .filter((text) => /^CVE-\d{4}-\d{4,10}$/.test(text)),
    ),
  ];
  const direct = named(['aliases', 'upstream']);
  const isDistribution = /^(?:DSA|DLA|USN|RHSA|RHBA|RLSA|ALSA|SUSE|openSUSE|MGASA|OESA|PHSA)-/.test(id);
  return direct.length > 0 || !isDistribution ? direct : named(['related']);
}

function packageOf(affected: JsonObject): {
  readonly ecosystem: string;
  readonly release: string;
  readonly name: string;
} {
  const json = objectOf(affected['package']);
  const full = textOf(json['ecosystem']);
  const colon = full.indexOf(':');
  const ecosystem = colon === -1 ? full : full.slice(0, colon);
  const name = textOf(json['name']);
  return { ecosystem, release: colon === -1 ? '' : full.slice(colon + 1), name: normalName(ecosystem, name) };
}

/** Python's names compare without case and with one separator (PEP 503), Composer's without case. */
function normalName(ecosystem: string, name: string): string {
  if (ecosystem === 'PyPI') return name.toLowerCase().replace(/[-_.]+/g, '-');
  return ecosystem === 'Packagist' ? name.toLowerCase() : name;
}

/** Ranges of commits say nothing about packages. */
function rangeOf(value: unknown): readonly (readonly AdvisoryEvent[])[] {
  const range = objectOf(value);
  if (range['type'] !== 'SEMVER' && range['type'] !== 'ECOSYSTEM') return [];
  const events = listOf(range['events'])
    .slice(0, MAX_EVENTS)
    .flatMap((event): AdvisoryEvent[] => {
      const json = objectOf(event);
      const [introduced, fixed] = [textOf(json['introduced']), textOf(json['fixed'])];
      const [lastAffected, limit] = [textOf(json['last_affected']), textOf(json['limit'])];
      if (introduced !== '') return [{ introduced }];
      if (fixed !== '') return [{ fixed }];
      if (lastAffected !== '') return [{ lastAffected }];
      return limit === '' ? [] : [{ limit }];
    });
  return events.length === 0 ? [] : [events];
}

function severityOf(json: JsonObject, affected: JsonObject): { cvss3?: string; cvss4?: string; severity?: string } {
  const scores = [...listOf(affected['severity']), ...listOf(json['severity'])].map(objectOf);
  const scoreOf = (type: string): string => textOf(scores.find((score) => score['type'] === type)?.['score']);
  const specific = (owner: JsonObject, key: string): JsonObject => objectOf(owner[key]);
  const words = [
    textOf(specific(affected, 'ecosystem_specific')['urgency']),
    textOf(specific(affected, 'ecosystem_specific')['severity']),
    textOf(specific(affected, 'database_specific')['severity']),
    scoreOf('Ubuntu'),
    textOf(specific(json, 'database_specific')['severity']),
  ];
  const word = words.find((text) => (severityOfWord(text) ?? 'Unknown') !== 'Unknown');
  const [cvss3, cvss4] = [scoreOf('CVSS_V3'), scoreOf('CVSS_V4')];
  return {
    ...(cvss3 === '' ? {} : { cvss3 }),
    ...(cvss4 === '' ? {} : { cvss4 }),
    ...(word === undefined ? {} : { severity: word }),
  };
}

function summaryOf(json: JsonObject): string {
  const text = textOf(json['summary']) || textOf(json['details']);
  return text.length > MAX_SUMMARY_LENGTH ? `${text.slice(0, MAX_SUMMARY_LENGTH - 1)}…` : text;
}

function linksOf(json: JsonObject): readonly string[] {
  return listOf(json['references'])
    .map((reference) => textOf(objectOf(reference)['url']))
    .filter((url) => /^https?:\/\/\S{1,500}$/.test(url))
    .slice(0, MAX_LINKS);
}
