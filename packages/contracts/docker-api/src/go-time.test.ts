import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { humanDuration, parseGoDuration, parseMoment, rfc3339Nano } from './index.ts';

const NOW = 1_795_324_827_000_000_000n;

describe('times', () => {
  it('formats as Go does, without trailing zeros', () => {
    expect(rfc3339Nano(1_795_324_827_466_280_715n)).toBe('2026-11-22T05:20:27.466280715Z');
    expect(rfc3339Nano(1_795_324_827_500_000_000n)).toBe('2026-11-22T05:20:27.5Z');
    expect(rfc3339Nano(1_795_324_820_000_000_000n)).toBe('2026-11-22T05:20:20Z');
  });

  it('parses back what it formats', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }), (timeNs) => {
        expect(parseMoment(rfc3339Nano(timeNs), 0n)).toBe(timeNs);
      }),
    );
  });

  it('reads moments in every form clients send', () => {
    expect(parseMoment('1795324827', 0n)).toBe(NOW);
    expect(parseMoment('1795324827.000000005', 0n)).toBe(NOW + 5n);
    expect(parseMoment('1795324827.5', 0n)).toBe(NOW + 500_000_000n);
    expect(parseMoment('2026-11-22T06:20:27+01:00', 0n)).toBe(NOW);
    expect(parseMoment('10m', NOW)).toBe(NOW - 600_000_000_000n);
    expect([undefined, '', '0'].map((text) => parseMoment(text, NOW))).toEqual([undefined, undefined, undefined]);
    for (const text of ['yesterday', '1795324827.', '5x', '2026-13-99T00:00:00Z', '--5'])
      expect(() => parseMoment(text, NOW)).toThrow(/invalid value for time/);
  });

  it('reads Go durations', () => {
    expect(['1h30m', '1.5s', '100ms', '-2s', '3µs'].map(parseGoDuration)).toEqual([
      5_400_000_000_000n,
      1_500_000_000n,
      100_000_000n,
      -2_000_000_000n,
      3000n,
    ]);
  });

  it.each([
    [500, 'Less than a second'],
    [1000, '1 second'],
    [59_000, '59 seconds'],
    [60_000, 'About a minute'],
    [46 * 60_000, '46 minutes'],
    [3_600_000, 'About an hour'],
    [3 * 3_600_000, '3 hours'],
    [3 * 86_400_000, '3 days'],
    [30 * 86_400_000, '4 weeks'],
    [90 * 86_400_000, '3 months'],
    [3 * 365 * 86_400_000, '3 years'],
  ])('says %i ms as %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});
