import { compareDigits } from './compare-text.ts';

/** The order of Debian's versions (Debian policy 5.6.12): epoch, upstream version, revision. */
export function compareDpkgVersions(a: string, b: string): number {
  const [x, y] = [split(a), split(b)];
  return compareDigits(x.epoch, y.epoch) || comparePart(x.upstream, y.upstream) || comparePart(x.revision, y.revision);
}

function split(version: string): { readonly epoch: string; readonly upstream: string; readonly revision: string } {
  const text = version.trim();
  const epoch = /^(\d+):/.exec(text)?.[1];
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: epoch ?? '',
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  };
}

/** Runs of other characters and runs of digits in turn, starting with the former. */
function comparePart(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const order = weight(a, i) - weight(b, j);
      if (order !== 0) return order;
      i++;
      j++;
    }
    const [startA, startB] = [i, j];
    while (isDigit(a, i)) i++;
    while (isDigit(b, j)) j++;
    const order = compareDigits(a.slice(startA, i), b.slice(startB, j));
    if (order !== 0) return order;
  }
  return 0;
}

/** A tilde sorts before the end, the end and digits before letters, letters before everything else. */
function weight(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (index >= text.length || isDigit(text, index)) return 0;
  if (code === 0x7e) return -1;
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return letter ? code : code + 0x1_0000;
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0x30 && code <= 0x39;
}
