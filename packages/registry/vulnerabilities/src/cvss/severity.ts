/** How bad a vulnerability is, on Harbor's scale. */
export type Severity = 'None' | 'Unknown' | 'Negligible' | 'Low' | 'Medium' | 'High' | 'Critical';

/** Severities, least severe first; the place of one is its rank. */
export const SEVERITIES: readonly Severity[] = ['None', 'Unknown', 'Negligible', 'Low', 'Medium', 'High', 'Critical'];

const WORDS: Readonly<Record<string, Severity>> = {
  none: 'None',
  unknown: 'Unknown',
  unassigned: 'Unknown',
  'not yet assigned': 'Unknown',
  untriaged: 'Unknown',
  negligible: 'Negligible',
  unimportant: 'Negligible',
  'end-of-life': 'Negligible',
  low: 'Low',
  minor: 'Low',
  medium: 'Medium',
  moderate: 'Medium',
  high: 'High',
  important: 'High',
  critical: 'Critical',
  urgent: 'Critical',
};

/** The place of a severity on the scale, from 0. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** The severity a distribution, GitHub or a scanner names; its urgency marks (`low**`) are dropped. */
export function severityOfWord(word: string): Severity | undefined {
  const key = word.trim().toLowerCase().replace(/\*+$/, '');
  return Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
}

/** The qualitative severity of a CVSS score (specification 5). */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'Critical';
  if (score >= 7) return 'High';
  if (score >= 4) return 'Medium';
  return score > 0 ? 'Low' : 'None';
}

/** The more severe of two. */
export function worse(a: Severity, b: Severity): Severity {
  return severityRank(a) >= severityRank(b) ? a : b;
}
