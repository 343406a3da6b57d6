import { compareDigits, compareText } from './compare-text.ts';

interface Token {
  /** `.` or `-`; a change between digits and letters is a `-`. */
  readonly separator: string;
  readonly text: string;
}

const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const RELEASE = QUALIFIERS.indexOf('');
const ALIASES: Readonly<Record<string, string>> = { ga: '', final: '', release: '', cr: 'rc' };
/** What a lone letter right before digits stands for: `1.0-a1` is `1.0-alpha-1`. */
const LETTERS: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', m: 'milestone' };

/** The order of Maven's versions ("Version Order Specification" of the POM reference). */
export function compareMavenVersions(a: string, b: string): number {
  const [x, y] = [tokens(a), tokens(b)];
  for (let index = 0; index < Math.max(x.length, y.length); index++) {
    const [left, right] = [x[index], y[index]];
    const order = compareTokens(left ?? padFor(right), right ?? padFor(left));
    if (order !== 0) return order;
  }
  return 0;
}

/** A missing token is the null value of the other's kind. */
function padFor(token: Token | undefined): Token {
  return { separator: token?.separator ?? '-', text: isNumber(token?.text ?? '') ? '0' : '' };
}

function compareTokens(a: Token, b: Token): number {
  const order = rankOf(a) - rankOf(b);
  if (order !== 0) return order;
  if (isNumber(a.text)) return compareDigits(a.text, b.text);
  const [x, y] = [qualifierRank(a.text), qualifierRank(b.text)];
  return x - y || (x === QUALIFIERS.length ? compareText(a.text, b.text) : 0);
}

/** A qualifier comes before `-1`, which comes before `.1`. */
function rankOf(token: Token): number {
  if (!isNumber(token.text)) return 0;
  return token.separator === '-' ? 1 : 2;
}

function qualifierRank(text: string): number {
  const rank = QUALIFIERS.indexOf(text);
  return rank === -1 ? QUALIFIERS.length : rank;
}

function tokens(version: string): readonly Token[] {
  const found: Token[] = [];
  for (const [, separator = '', text = ''] of version
    .trim()
    .toLowerCase()
    .matchAll(/([.\-_]?)(\d+|[^\d.\-_]+|(?=[.\-_]))/g)) {
    const previous = found.at(-1);
    const implied = previous === undefined ? '' : isNumber(previous.text) === isNumber(text) ? '.' : '-';
    // A qualifier always starts a part of its own: 1.foo is 1-foo.
    const sign = separator === '_' || !isNumber(text || '0') ? '-' : separator === '' ? implied : separator;
    found.push({ separator: sign, text: text === '' ? '0' : text });
  }
  return trim(found.map((token, index) => ({ ...token, text: canonical(token.text, found[index + 1]) })));
}

function canonical(text: string, next: Token | undefined): string {
  if (isNumber(text)) return text.replace(/^0+(?=\d)/, '');
  const followed = next !== undefined && isNumber(next.text) && next.separator === '-';
  return (followed ? LETTERS[text] : undefined) ?? ALIASES[text] ?? text;
}

/** Null values are dropped at the end, and before each hyphen. */
function trim(list: readonly Token[]): readonly Token[] {
  const kept: Token[] = [];
  let drop = true;
  for (const token of list.toReversed()) {
    if (drop && isNull(token.text)) {
      if (token.separator === '-') drop = true;
      continue;
    }
    drop = token.separator === '-';
    kept.push(token);
  }
  return kept.toReversed();
}

function isNull(text: string): boolean {
  return text === '0' || qualifierRank(text) === RELEASE;
}

function isNumber(text: string): boolean {
  return /^\d/.test(text);
}
