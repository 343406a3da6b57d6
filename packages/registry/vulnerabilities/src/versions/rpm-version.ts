import { compareDigits, compareText } from './compare-text.ts';

/** The order of RPM's versions: `epoch:version-release`, each part by `rpmvercmp`. */
export function compareRpmVersions(a: string, b: string): number {
  const [x, y] = [split(a), split(b)];
  return (
    compareDigits(x.epoch, y.epoch) || compareRpmPart(x.version, y.version) || compareRpmPart(x.release, y.release)
  );
}

function split(text: string): { readonly epoch: string; readonly version: string; readonly release: string } {
  const trimmed = text.trim();
  const epoch = /^(\d+):/.exec(trimmed)?.[1];
  const rest = epoch === undefined ? trimmed : trimmed.slice(epoch.length + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: epoch ?? '',
    version: dash === -1 ? rest : rest.slice(0, dash),
    release: dash === -1 ? '' : rest.slice(dash + 1),
  };
}

/**
 * Compares one part segment by segment.
 *
 * Digits are newer than letters, more segments are newer than fewer, `~` is older than the end of the text and
 * `^` newer than the end but older than any further segment.
 */
function compareRpmPart(a: string, b: string): number {
  let [x, y] = [a, b];
  for (;;) {
    x = x.replace(/^[^A-Za-z0-9~^]+/, '');
    y = y.replace(/^[^A-Za-z0-9~^]+/, '');
    if (x.startsWith('~') || y.startsWith('~')) {
      if (!x.startsWith('~')) return 1;
      if (!y.startsWith('~')) return -1;
    } else if (x.startsWith('^') || y.startsWith('^')) {
      if (x === '') return -1;
      if (y === '') return 1;
      if (!x.startsWith('^')) return 1;
      if (!y.startsWith('^')) return -1;
    } else if (x === '' || y === '') {
      return x === y ? 0 : x === '' ? -1 : 1;
    } else {
      const order = compareSegments(x, y);
      if (order !== 0) return order;
      x = x.slice(segmentOf(x).length);
      y = y.slice(segmentOf(y).length);
      continue;
    }
    x = x.slice(1);
    y = y.slice(1);
  }
}

function compareSegments(x: string, y: string): number {
  const [a, b] = [segmentOf(x), segmentOf(y)];
  const [digitsA, digitsB] = [/^\d/.test(a), /^\d/.test(b)];
  if (digitsA !== digitsB) return digitsA ? 1 : -1;
  return digitsA ? compareDigits(a, b) : compareText(a, b);
}

function segmentOf(text: string): string {
  return /^(?:\d+|[A-Za-z]+)/.exec(text)?.[0] ?? '';
}
