import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from './container-record.ts';
import type { ContainerRecord } from './container-record.ts';
import { newContainer } from './testing/simulated-vch.ts';

/** Any character. That of fast-check for this (`binary`) makes a table of a million of them first. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

function record(personality: string): ContainerRecord {
  return {
    version: 1,
    config: newContainer('a', ['sh'], { personality }),
    createdAt: '2026-01-01T00:00:00.000000000Z',
    shape: { cpus: 1, memoryMiB: 512 },
    vmName: 'a',
    diskPath: '[ds] a/a.vmdk',
    logPath: '[ds] a/output.log',
  };
}

it('decodeRecord() gives back what encodeRecord() wrote, in values of printable ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 200 }), fc.integer({ min: 1, max: 400 }), (text, times) => {
      const original = record(text.repeat(times));
      const encoded = encodeRecord(original);
      for (const value of Object.values(encoded)) {
        expect(value).toMatch(/^[\x20-\x7e]*$/);
        expect(value.length).toBeLessThanOrEqual(16 * 1024);
      }
      expect(decodeRecord(encoded)).toEqual(JSON.parse(JSON.stringify(original)));
    }),
    { numRuns: 30 },
  );
});

it('a record with a part missing is no record', () => {
  const encoded = encodeRecord(record('x'.repeat(40_000)));
  for (const key of Object.keys(encoded)) {
    const { [key]: _removed, ...rest } = encoded;
    expect(decodeRecord(rest)).toBeUndefined();
  }
});

it('a record that is too large is refused', () => {
  expect(() => encodeRecord(record('x'.repeat(2 * 1024 * 1024)))).toThrow('larger than a virtual machine can keep');
});
