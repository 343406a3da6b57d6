const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;

/** A moment as RFC 3339 with nanoseconds, in UTC. */
export function formatTimeNs(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / NS_PER_MS)).toISOString().slice(0, 19);
  return `${seconds}.${(timeNs % NS_PER_S).toString().padStart(9, '0')}Z`;
}

/** Nanoseconds since 1970 of an RFC 3339 time in UTC or a decimal number of nanoseconds; `undefined` for anything else. */
export function parseTimeNs(text: string): bigint | undefined {
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)$/.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}Z`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * NS_PER_MS + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** Seconds from one moment to another, not negative. */
export function secondsBetween(startNs: bigint, endNs: bigint): number {
  return endNs <= startNs ? 0 : Number((endNs - startNs) / NS_PER_MS) / 1000;
}
