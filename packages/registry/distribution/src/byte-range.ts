import type { ByteRange } from '@vic/blob';

/** What a `Range` header comes to for content of a size. */
export type RequestedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' };

const SINGLE_RANGE = /^bytes=\s*(\d*)-(\d*)\s*$/;
const MAX_DIGITS = 15;

/** Reads a `Range` header (RFC 9110 section 14); several ranges, and other units, are answered with everything. */
export function parseByteRange(header: string | undefined, sizeBytes: number): RequestedRange {
  const [, first, last] = SINGLE_RANGE.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  if (first.length > MAX_DIGITS || last.length > MAX_DIGITS) return { kind: 'unsatisfiable' };
  if (first === '') {
    const suffix = Math.min(Number(last), sizeBytes);
    return suffix === 0 ? { kind: 'unsatisfiable' } : part(sizeBytes - suffix, sizeBytes - 1);
  }
  const start = Number(first);
  if (start >= sizeBytes) return { kind: 'unsatisfiable' };
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return end < start ? { kind: 'unsatisfiable' } : part(start, end);
}

function part(start: number, end: number): RequestedRange {
  return { kind: 'part', range: { start, end } };
}
