import { compareDigits, compareLists, compareText } from './compare-text.ts';

/** Ranks of what may follow at one place: the order of apk-tools when two versions differ in kind. */
const RANK = { preSuffix: 0, end: 1, revision: 2, suffixNumber: 3, postSuffix: 4, letter: 5, digits: 6 } as const;
const PRE_SUFFIXES = ['alpha', 'beta', 'pre', 'rc'];
const POST_SUFFIXES = ['cvs', 'svn', 'git', 'hg', 'p'];

interface Token {
  readonly rank: number;
  readonly text: string;
}

const END: Token = { rank: RANK.end, text: '' };

/** The order of Alpine's versions, as apk-tools decides it: `1.2.3b_rc1-r4`. */
export function compareApkVersions(a: string, b: string): number {
  return compareLists(tokens(a), tokens(b), (x = END, y = END) => {
    if (x.rank !== y.rank) return x.rank - y.rank;
    switch (x.rank) {
      case RANK.digits:
        // A part with a leading zero is a fraction: 1.01 is older than 1.1.
        return x.text.startsWith('0') || y.text.startsWith('0')
          ? compareText(x.text, y.text)
          : compareDigits(x.text, y.text);
      case RANK.preSuffix:
        return PRE_SUFFIXES.indexOf(x.text) - PRE_SUFFIXES.indexOf(y.text);
      case RANK.postSuffix:
        return POST_SUFFIXES.indexOf(x.text) - POST_SUFFIXES.indexOf(y.text);
      case RANK.letter:
        return compareText(x.text, y.text);
      default:
        return compareDigits(x.text, y.text);
    }
  });
}

/** What cannot be read ends the version: such versions compare as the part before it. */
function tokens(version: string): readonly Token[] {
  const found: Token[] = [];
  const pattern =
    /(?<first>^\d+)|\.(?<digits>\d+)|(?<letter>[a-z])(?![a-z])|_(?<suffix>[a-z]+)(?<number>\d*)|-r(?<revision>\d+)/y;
  const text = version.trim();
  while (pattern.lastIndex < text.length) {
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) break;
    const token = tokenOf(groups);
    if (token === undefined) break;
    found.push(...token);
  }
  return found;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): readonly Token[] | undefined {
  const { first, digits, letter, suffix, number = '', revision } = groups;
  // The first number is whole: a leading zero means nothing there.
  if (first !== undefined) return [{ rank: RANK.digits, text: first.replace(/^0+(?=\d)/, '') }];
  if (digits !== undefined) return [{ rank: RANK.digits, text: digits }];
  if (letter !== undefined) return [{ rank: RANK.letter, text: letter }];
  if (revision !== undefined) return [{ rank: RANK.revision, text: revision }];
  if (suffix === undefined) return undefined;
  const rank = PRE_SUFFIXES.includes(suffix) ? RANK.preSuffix : RANK.postSuffix;
  if (rank === RANK.postSuffix && !POST_SUFFIXES.includes(suffix)) return undefined;
  return [{ rank, text: suffix }, ...(number === '' ? [] : [{ rank: RANK.suffixNumber, text: number }])];
}
