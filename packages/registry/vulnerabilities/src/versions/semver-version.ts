import { compareDigits, compareLists, compareText } from './compare-text.ts';

interface SemVer {
  readonly numbers: readonly string[];
  readonly prerelease: readonly string[];
}

/**
 * The order of Semantic Versioning 2.0 (npm, Cargo, Go).
 *
 * A leading `v` and missing numbers are accepted, build metadata is ignored, and what is not a version at all
 * sorts before everything that is.
 */
export function compareSemVer(a: string, b: string): number {
  const [x, y] = [parse(a), parse(b)];
  if (x === undefined || y === undefined) {
    return x === y ? compareText(a, b) : x === undefined ? -1 : 1;
  }
  return (
    compareLists(x.numbers, y.numbers, (m = '0', n = '0') => compareDigits(m, n)) ||
    comparePrereleases(x.prerelease, y.prerelease)
  );
}

function parse(text: string): SemVer | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(?:-?([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, numbers = '', prerelease = ''] = match;
  return { numbers: numbers.split('.'), prerelease: prerelease === '' ? [] : prerelease.split('.') };
}

/** A version without a prerelease is newer than one with. */
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  return compareLists(a, b, (x, y) => {
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const [digitsX, digitsY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (digitsX !== digitsY) return digitsX ? -1 : 1;
    return digitsX ? compareDigits(x, y) : compareText(x, y);
  });
}
