import { VicError } from '@vic/errors';

/** Go's zero time, for a moment that never came. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

/** RFC 3339 with nanoseconds, trailing zeros dropped, in UTC: Go's `RFC3339Nano`. */
export function rfc3339Nano(timeNs: bigint): string {
  return rfc3339NanoFixed(timeNs).replace(/\.?0+Z$/, 'Z');
}

/** RFC 3339 with always nine fractional digits, as `docker logs --timestamps` prints. */
export function rfc3339NanoFixed(timeNs: bigint): string {
  const seconds = floorDivide(timeNs, NS_PER_SECOND);
  const nanos = timeNs - seconds * NS_PER_SECOND;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}.${nanos.toString().padStart(9, '0')}Z`;
}

/** Nanoseconds since the epoch of a Date's moment. */
export function dateToNs(date: Date): bigint {
  return BigInt(date.getTime()) * NS_PER_MS;
}

/** Nanoseconds since the epoch of an RFC 3339 text; refuses anything else. */
export function parseRfc3339(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const [, whole, fraction = '', zone] = match ?? [];
  const ms = whole === undefined ? Number.NaN : Date.parse(`${whole}${zone}`);
  if (Number.isNaN(ms)) throw invalidTime(text);
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'));
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
  if (/^\d{4}-/.test(text)) return parseRfc3339(text);
  return nowNs - parseGoDuration(text);
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

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function invalidTime(text: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'TIME_INVALID',
    message: `invalid value for time: "${text.slice(0, 64)}" is neither a Unix time, an RFC 3339 time nor a duration`,
  });
}
