import { VicError } from '@vic/errors';
import { formatRfc3339, parseRfc3339 } from '@vic/time';

/** Go's zero time, for a moment that never came. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

/** RFC 3339 with nanoseconds, trailing zeros dropped, in UTC: Go's `RFC3339Nano`. */
export function rfc3339Nano(timeNs: bigint): string {
  return formatRfc3339(timeNs).replace(/\.?0+Z$/, 'Z');
}

/** Nanoseconds since the epoch of a Date's moment. */
export function dateToNs(date: Date): bigint {
  return BigInt(date.getTime()) * NS_PER_MS;
}

/**
 * The moment a `since` or `until` parameter means: Unix seconds with optional fraction (`1795324827.5`),
 * RFC 3339, or a Go duration before `now`. `undefined` for an absent or empty parameter, and for `0`.
 */
export function parseMoment(text: string | undefined, nowNs: bigint): bigint | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  const unix = /^(-?\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (unix !== null) {
    const [, seconds = '0', fraction = ''] = unix;
    const sign = seconds.startsWith('-') ? -1n : 1n;
    return BigInt(seconds) * NS_PER_SECOND + sign * BigInt(fraction.padEnd(9, '0'));
  }
  if (/^\d{4}-/.test(text)) return requireRfc3339(text);
  return nowNs - parseGoDuration(text);
}

function requireRfc3339(text: string): bigint {
  const timeNs = parseRfc3339(text);
  if (timeNs === undefined) throw invalidTime(text);
  return timeNs;
}

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of a Go duration such as `1h30m` or `1.5s`. */
export function parseGoDuration(text: string): bigint {
  const part = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;
  const negative = text.startsWith('-');
  const body = text.replace(/^[+-]/, '');
  if (body === '' || body.length > 64 || body.replace(part, '') !== '') throw invalidTime(text);
  let total = 0n;
  for (const [, amount, unit] of body.matchAll(part))
    total += BigInt(Math.round(Number(amount) * (UNIT_NS[unit ?? ''] ?? 0)));
  return negative ? -total : total;
}

/** A length of time as Docker says it in a container's status: `3 seconds`, `About a minute`, `2 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.round(ms / 3_600_000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

function invalidTime(text: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'TIME_INVALID',
    message: `invalid value for time: "${text.slice(0, 64)}" is neither a Unix time, an RFC 3339 time nor a duration`,
  });
}
