const WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  PR: { N: 0.85, L: 0.62, H: 0.27 },
  UI: { N: 0.85, R: 0.62 },
  S: { U: 0, C: 1 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
/** Privileges weigh more when the scope changes. */
const PRIVILEGES_CHANGED: Readonly<Record<string, number>> = { N: 0.85, L: 0.68, H: 0.5 };

/** The base score of a CVSS v3.0 or v3.1 vector (specification 7.1), or `undefined` when it is not one. */
export function cvss3BaseScore(text: string): number | undefined {
  const [version, ...parts] = text.trim().split('/');
  if (version !== 'CVSS:3.0' && version !== 'CVSS:3.1') return undefined;
  const found = new Map(parts.map((part) => part.split(':') as [string, string]));
  const weigh = (metric: string): number => WEIGHTS[metric]?.[found.get(metric) ?? ''] ?? Number.NaN;
  const changed = found.get('S') === 'C';
  const privileges = changed ? (PRIVILEGES_CHANGED[found.get('PR') ?? ''] ?? Number.NaN) : weigh('PR');
  const base = 1 - (1 - weigh('C')) * (1 - weigh('I')) * (1 - weigh('A'));
  const impact = changed ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base;
  const exploitability = 8.22 * weigh('AV') * weigh('AC') * privileges * weigh('UI');
  if (Number.isNaN(impact + exploitability + weigh('S'))) return undefined;
  if (impact <= 0) return 0;
  return roundUp(Math.min((changed ? 1.08 : 1) * (impact + exploitability), 10));
}

/** To one decimal, upwards, free of floating point noise (specification appendix A). */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}
