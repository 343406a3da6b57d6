import { compareDigits, compareLists, compareText } from './compare-text.ts';

/** What sorts around a number that is there: before it, or after it. */
const BEFORE = -1;
const AFTER = 1;

interface Mark {
  /** Place among the kinds; decides before the number does. */
  readonly rank: number;
  readonly number: string;
}

interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  readonly pre: Mark;
  readonly post: Mark;
  readonly dev: Mark;
  readonly local: readonly string[] | undefined;
}

const PATTERN =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

/** The order of Python's versions (PEP 440); what is not one sorts before everything that is. */
export function comparePep440Versions(a: string, b: string): number {
  const [x, y] = [parse(a), parse(b)];
  if (x === undefined || y === undefined) {
    return x === y ? compareText(a, b) : x === undefined ? -1 : 1;
  }
  return (
    compareDigits(x.epoch, y.epoch) ||
    compareLists(x.release, y.release, (m = '0', n = '0') => compareDigits(m, n)) ||
    compareMarks(x.pre, y.pre) ||
    compareMarks(x.post, y.post) ||
    compareMarks(x.dev, y.dev) ||
    compareLocals(x.local, y.local)
  );
}

function parse(text: string): PythonVersion | undefined {
  const match = PATTERN.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, epoch = '0', release = '', preKind, pre, implicitPost, postKind, post, dev, devNumber, local] = match;
  const hasPost = implicitPost !== undefined || postKind !== undefined;
  // A development version without anything else comes before the prereleases of its release.
  const absentPre = dev !== undefined && !hasPost ? BEFORE : AFTER * 10;
  return {
    epoch,
    release: release.split('.'),
    pre: preKind === undefined ? { rank: absentPre, number: '0' } : { rank: preRank(preKind), number: pre ?? '0' },
    post: hasPost ? { rank: 0, number: implicitPost ?? post ?? '0' } : { rank: BEFORE, number: '0' },
    dev: dev === undefined ? { rank: AFTER, number: '0' } : { rank: 0, number: devNumber ?? '0' },
    local: local?.split(/[-_.]/),
  };
}

function preRank(kind: string): number {
  return kind.startsWith('a') ? 0 : kind.startsWith('b') ? 1 : 2;
}

function compareMarks(a: Mark, b: Mark): number {
  return a.rank - b.rank || compareDigits(a.number, b.number);
}

function compareLocals(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareLists(a, b, (x, y) => {
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const [digitsX, digitsY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (digitsX !== digitsY) return digitsX ? 1 : -1;
    return digitsX ? compareDigits(x, y) : compareText(x, y);
  });
}
