import { compareDigits, compareLists, compareText } from './compare-text.ts';

/** The order of RubyGems' versions: letters are older than numbers, trailing zeros mean nothing. */
export function compareRubyGemsVersions(a: string, b: string): number {
  return compareLists(segments(a), segments(b), (x = '0', y = '0') => {
    const [digitsX, digitsY] = [/^\d/.test(x), /^\d/.test(y)];
    if (digitsX !== digitsY) return digitsX ? 1 : -1;
    return digitsX ? compareDigits(x, y) : compareText(x, y);
  });
}

/** Zeros at the end of the release and at the end of the prerelease are dropped, as `Gem::Version` does. */
function segments(version: string): readonly string[] {
  const all =
    version
      .trim()
      .replaceAll('-', '.pre.')
      .match(/\d+|[A-Za-z]+/g) ?? [];
  const firstText = all.findIndex((segment) => !/^\d/.test(segment));
  const release = firstText === -1 ? all : all.slice(0, firstText);
  return [...withoutZeros(release), ...withoutZeros(firstText === -1 ? [] : all.slice(firstText))];
}

function withoutZeros(list: readonly string[]): readonly string[] {
  return list.slice(0, list.findLastIndex((segment) => !/^0+$/.test(segment)) + 1);
}
