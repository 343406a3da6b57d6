import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRfc3339, parseRfc3339 } from './index.ts';

test('formatRfc3339() writes nine fractional digits, before 1970 too', () => {
  expect(formatRfc3339(1_795_324_827_000_000_001n)).toBe('2026-11-22T05:20:27.000000001Z');
  expect(formatRfc3339(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
});

test('parseRfc3339() reads what formatRfc3339() writes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -2_000_000_000_000_000_000n, max: 4_000_000_000_000_000_000n }), (timeNs) => {
      expect(parseRfc3339(formatRfc3339(timeNs))).toBe(timeNs);
    }),
  );
});

test('parseRfc3339() takes any zone and any number of fractional digits', () => {
  expect(parseRfc3339('2026-11-22T06:20:27+01:00')).toBe(1_795_324_827_000_000_000n);
  expect(parseRfc3339('2026-11-22T05:20:27.5Z')).toBe(1_795_324_827_500_000_000n);
  expect(parseRfc3339('2026-11-22T05:20:27.0000000019Z')).toBe(1_795_324_827_000_000_001n);
});

test('parseRfc3339() gives undefined for anything else', () => {
  for (const text of ['', 'now', '2026-11-22', '2026-13-22T05:20:27Z', '2026-11-22T05:20:27', '1795324827']) {
    expect(parseRfc3339(text)).toBeUndefined();
  }
});
