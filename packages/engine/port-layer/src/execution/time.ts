import { parseRfc3339 } from '@vic/time';

const NS_PER_MS = 1_000_000n;

/** Nanoseconds since 1970 of an RFC 3339 time or of a decimal number of nanoseconds; `undefined` for anything else. */
export function parseTimeNs(text: string): bigint | undefined {
  return /^\d{1,20}$/.test(text) ? BigInt(text) : parseRfc3339(text);
}

/** Seconds from one moment to another, not negative. */
export function secondsBetween(startNs: bigint, endNs: bigint): number {
  return endNs <= startNs ? 0 : Number((endNs - startNs) / NS_PER_MS) / 1000;
}
