import { compareDigits, compareLists } from './compare-text.ts';

const STABILITIES = ['dev', 'alpha', 'beta', 'rc', 'stable', 'patch'];
const ALIASES: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', p: 'patch', pl: 'patch' };

/** The order of Composer's versions: numbers, then stability and its number; branches (`dev-x`) come first. */
export function comparePackagistVersions(a: string, b: string): number {
  const [x, y] = [parse(a), parse(b)];
  return (
    compareLists(x.numbers, y.numbers, (m = '0', n = '0') => compareDigits(m, n)) ||
    x.stability - y.stability ||
    compareDigits(x.number, y.number)
  );
}

function parse(version: string): {
  readonly numbers: readonly string[];
  readonly stability: number;
  readonly number: string;
} {
  const text = version.trim().toLowerCase().split('+')[0] ?? '';
  const match = /^v?(\d+(?:[._]\d+)*)(?:[._-]?(stable|dev|alpha|beta|rc|patch|pl|a|b|p)[._-]?(\d*))?/.exec(text);
  if (match === null) return { numbers: [], stability: -1, number: '' };
  const [, numbers = '', kind = 'stable', number = ''] = match;
  return { numbers: numbers.split(/[._]/), stability: STABILITIES.indexOf(ALIASES[kind] ?? kind), number };
}
